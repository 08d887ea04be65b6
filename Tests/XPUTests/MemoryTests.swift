import Compute
import Models
import Quant
import TestSupport
import Testing

@testable import XPU

/// What is planned is what is taken, by the free memory that the driver tells.
@Suite(.serialized) struct MemoryTests {
    @Test(arguments: ["llama", "gemma2", "deepseek2"])
    func `a plan is what loading and compiling take`(name: String) throws {
        guard let backend = TestDevice.backend, let before = try free() else { return }
        let tiny = try #require(TinyModel.all.first { $0.name == name })
        guard let model = try tiny.load(.q8_0) else { return }
        let planned = try #require(try backend.weightBytes(model.weights, for: model.program))
        let weights = try backend.load(model.weights, for: model.program, progress: { _ in })
        let loaded = try #require(try free())
        // Every matrix is an allocation of its own.
        #expect(before - loaded >= planned && before - loaded < planned + slack, "weights")
        #expect(weights.byteCount <= before - loaded && weights.byteCount >= planned)

        let cache = KVCacheConfiguration(format: .f16, blockCount: 300, windowBlockCount: 40)
        let limits = StepLimits(rows: 256, sequences: 8, outputRows: 8)
        let executable = try backend.compile(model.program, weights: weights, cache: cache, limits: limits)
        let compiled = try #require(try free())
        let own = try #require(weights as? XPUWeights)
        let program = FusedProgram(model.program).program
        let steps = StepMemory.Sizes(program, own, limits: limits).total
        let keys = KVCache.byteCount(program.cache, cache)
        #expect(loaded - compiled >= keys + steps && loaded - compiled < keys + steps + slack, "cache and activations")
        // Users are told the size of the cache without its layout on a device.
        let told = model.program.cache.byteCount(cache)
        #expect(abs(keys - told) <= told / 4, "the cache takes \(keys), told are \(told)")
        withExtendedLifetime(executable) {}
    }

    /// For many small allocations, and the control block.
    private let slack = 1 << 20

    private func free() throws -> Int? { try DeviceReport.all().first?.freeMemory }
}
