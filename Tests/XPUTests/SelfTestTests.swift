import Testing

@testable import XPU

/// What `devices --self-test` runs.
@Suite(.serialized) struct SelfTestTests {
    @Test func `the self-test passes and leaves no kernel out`() throws {
        guard TestDevice.backend != nil else { return }
        // Of its own: other suites use kernels beside this one.
        let backend = try XPUBackend()
        #expect(try backend.unusedKernels().count > 100)
        _ = try backend.readBandwidth()
        _ = try backend.arithmeticRates()
        _ = try backend.headBandwidth()
        SelfTest(backend).run(nil) { result in
            let problem = result.failure ?? "the error is \(result.error), above \(result.bound)"
            #expect(result.passed, "\(result.name): \(problem)")
        }
        // On a matrix engine the products of many rows and attention are kernels of its own module. The plain ones are tested where there
        // is none: scripts/test takes such a device too.
        let hasEngine = try #require(try LevelZero.shared().devices.first).matrixLanes != nil
        let untested = try backend.unusedKernels().filter { name in
            let isPlain =
                name.hasPrefix("attention.attend_") || name.hasPrefix("linear.linear_") && name.hasSuffix("_rows8")
            return !(hasEngine && isPlain)
        }
        #expect(untested.isEmpty, "\(untested)")
    }
}
