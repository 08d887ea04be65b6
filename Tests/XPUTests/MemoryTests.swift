import Compute
import Models
import Quant
import TestSupport
import Testing

@testable import XPU

/// What is planned is what is taken.
@Suite(.serialized) struct MemoryTests {
    @Test(arguments: ["llama", "gemma2", "deepseek2"])
    func `a plan is what loading and compiling take`(name: String) throws {
        guard TestDevice.backend != nil else { return }
        // Of its own: other suites run beside this one.
        let backend = try XPUBackend()
        let tiny = try #require(TinyModel.all.first { $0.name == name })
        guard let model = try tiny.load(.q8_0) else { return }
        let planned = try #require(try backend.weightBytes(model.weights, for: model.program))
        let weights = try backend.load(model.weights, for: model.program, progress: { _ in })
        let loaded = backend.allocatedBytes
        // Each matrix is an allocation of its own, of at least 64 bytes.
        #expect(loaded >= planned && loaded < planned + slack && weights.byteCount == loaded, "weights")

        let cache = KVCacheConfiguration(format: .f16, blockCount: 300, windowBlockCount: 40)
        let limits = StepLimits(rows: 256, sequences: 8, outputRows: 8)
        let executable = try backend.compile(model.program, weights: weights, cache: cache, limits: limits)
        let taken = backend.allocatedBytes - loaded
        let own = try #require(weights as? XPUWeights)
        let program = FusedProgram(model.program).program
        let steps = StepMemory.Sizes(program, own, limits: limits).total
        let keys = KVCache.byteCount(program.cache, cache)
        #expect(taken >= keys + steps && taken < keys + steps + slack, "cache and activations")
        // Users are told the size of the cache without its layout on a device.
        let told = model.program.cache.byteCount(cache)
        #expect(abs(keys - told) <= told / 4, "the cache takes \(keys), told are \(told)")
        withExtendedLifetime(executable) {}
    }

    /// For many small allocations, and the control block.
    private let slack = 1 << 20

    @Test func `the driver tells what is free`() throws {
        guard TestDevice.backend != nil else { return }
        let report = try #require(try DeviceReport.all().first)
        // Only the software device is known to.
        guard let free = report.freeMemory else {
            #expect(!report.name.contains("SoftXPU"))
            return
        }
        #expect(free > 0 && free <= report.memory)
    }
}
