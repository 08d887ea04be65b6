internal import Compute
internal import Quant

/// Every kernel and format on a device against the scalar reference, and how near the device's limits the products come: what an
/// owner of new hardware runs first.
package struct SelfTest: Sendable {
    package struct Result: Sendable {
        package let name: String
        /// Largest difference from the reference, relative to its largest magnitude, and what it may be.
        package let error: Double
        package let bound: Double
        /// Weights read per second with one row.
        package var bytesPerSecond: Double?
        /// Multiplications and additions per second with 64 rows.
        package var operationsPerSecond: Double?
        /// The device's most, of the arithmetic that these take.
        package var operationsCeiling: Double?
        /// Why it could not run.
        package var failure: String?

        package var passed: Bool { failure == nil && error <= bound }
    }

    let backend: XPUBackend

    package init(_ backend: XPUBackend) { self.backend = backend }

    /// - Parameters:
    ///   - rates: `nil`: nothing is timed.
    ///   - report: Gets each result as it is there.
    package func run(_ rates: ArithmeticRates?, _ report: (Result) -> Void) {
        func timed(_ result: Result, _ bytesPerSecond: () throws -> Double) {
            guard rates != nil else { return report(result) }
            report(self.timed(result) { result throws in result.bytesPerSecond = try bytesPerSecond() })
        }
        for format in Format.all where WeightLayout(format) != nil {
            let result = product(format)
            guard let rates, Self.ownKernels.contains(format) else {
                report(result)
                continue
            }
            report(
                self.timed(result) { result throws in
                    let speed = try ProductSpeed(backend, format)
                    result.bytesPerSecond = speed.bytesPerSecond
                    result.operationsPerSecond = speed.operationsPerSecond
                    result.operationsCeiling = rates.ceiling(format)
                })
        }
        for format in Format.all where WeightLayout(format) != nil { report(embedding(format)) }
        for format in [Format.q8_0, .q4_k] { report(gatedProducts(format)) }
        for kv in KVFormat.all {
            timed(attention(kv)) { () throws in try OperationSpeed.attention(backend, kv) }
        }
        timed(mixture(.f32)) { () throws in try OperationSpeed.mixture(backend) }
        report(mixture(.q8_0))
        report(mixture(.f32, weighsInput: true))
        for kind in [Op.Norm.Kind.rms, .layer] {
            timed(rows(kind)) { () throws in try OperationSpeed.norm(backend, kind) }
        }
        report(headParts())
        timed(head()) { () throws in try backend.headBandwidth() }
    }

    /// A part that is over in well under a second on a GPU: a kernel of each kind, and the formats that most files have.
    func quickFailure() -> String? {
        let tests: [() -> Result] =
            Self.ownKernels.map { format in { product(format) } } + [
                { attention(.f16) }, { attention(.q8_0) }, { mixture(.f32) }, { rows(.rms) }, head,
            ]
        for test in tests {
            let result = test()
            guard result.passed else {
                return "\(result.name): \(result.failure ?? "the error is \(result.error), above \(result.bound)")"
            }
        }
        return nil
    }

    /// Formats with kernels of their own.
    private static let ownKernels: [Format] = [.q4_0, .q4_k, .q5_k, .q6_k, .q8_0, .iq4_xs, .f16, .bf16]

    /// A result that passed with what was measured.
    private func timed(_ result: Result, _ measure: (inout Result) throws -> Void) -> Result {
        var result = result
        guard result.passed else { return result }
        do { try measure(&result) } catch { result.failure = "\(error)" }
        return result
    }
}
