import Compute
import Models
import TestSupport
import Testing

@testable import XPU

/// Times of operations, from the device's time stamps.
@Suite(.serialized) struct ProfileTests {
    @Test(arguments: ["llama", "gemma2", "deepseek2"])
    func `a profile changes no bit, and what runs on its own gets time`(name: String) throws {
        guard let backend = TestDevice.backend else { return }
        let tiny = try #require(TinyModel.all.first { $0.name == name })
        guard let model = try tiny.load(.q8_0) else { return }
        let tokens = (0..<40).map { Int32($0 * 7 % 50) }
        let chunks = [20, 1, 1]
        let plain = try Session(model.program, model.weights, on: backend, kv: .f16).run(tokens, chunks: chunks)
        let session = try Session(model.program, model.weights, on: backend, kv: .f16)
        session.times = Array(repeating: 0, count: session.program.ops.count)
        let start = ContinuousClock.now
        let profiled = try session.run(tokens, chunks: chunks)
        let elapsed = (ContinuousClock.now - start).inSeconds
        #expect(identical(profiled, plain))

        let times = try #require(session.times)
        let run = Set(session.program.indices(of: FusedProgram(session.program).program))
        for (index, op) in session.program.ops.enumerated() {
            // The product before it may have computed a norm or a gate.
            if case .norm = op { continue }
            if case .gate = op { continue }
            #expect((times[index] > 0) == run.contains(index), "\(op)")
        }
        #expect(run.count > session.program.ops.count / 2)
        // Kernels run one after the other on the software device only.
        if backend.device.name.contains("SoftXPU") { #expect(times.reduce(0, +) <= elapsed) }
    }

    @Test func `a count of ticks that begins again is no time of its own`() {
        let timer = DeviceTimer(ticksPerSecond: 1000, validBits: 32)
        #expect(timer.seconds(from: 500, to: 1500) == 1)
        #expect(timer.seconds(from: 0xffff_ff00, to: 0x2e8) == 1)
        // Bits above those that are valid mean nothing.
        #expect(timer.seconds(from: 0x7_ffff_ff00, to: 0x5_0000_02e8) == 1)
        #expect(DeviceTimer(ticksPerSecond: 1000, validBits: 64).seconds(from: .max, to: 1) == 0.002)
    }
}
