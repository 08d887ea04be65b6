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

    private let backend: XPUBackend

    package init(_ backend: XPUBackend) { self.backend = backend }

    /// - Parameter report: Gets each result as it is there.
    package func run(_ rates: ArithmeticRates, _ report: (Result) -> Void) {
        for format in Format.all where WeightLayout(format) != nil {
            var result = product(format)
            if result.passed, Self.timed.contains(format) {
                do {
                    let speed = try ProductSpeed(backend, format)
                    result.bytesPerSecond = speed.bytesPerSecond
                    result.operationsPerSecond = speed.operationsPerSecond
                    result.operationsCeiling = rates.ceiling(format)
                } catch { result.failure = "\(error)" }
            }
            report(result)
        }
        for kv in KVFormat.all {
            report(timed(attention(kv)) { () throws in try OperationSpeed.attention(backend, kv) })
        }
        report(timed(mixture()) { () throws in try OperationSpeed.mixture(backend) })
        for kind in [Op.Norm.Kind.rms, .layer] {
            report(timed(rows(kind)) { () throws in try OperationSpeed.norm(backend, kind) })
        }
    }

    /// A result that passed with the bytes per second that were measured.
    private func timed(_ result: Result, _ bytesPerSecond: () throws -> Double) -> Result {
        var result = result
        guard result.passed else { return result }
        do { result.bytesPerSecond = try bytesPerSecond() } catch { result.failure = "\(error)" }
        return result
    }

    /// A part that is over in well under a second on a GPU: a kernel of each kind, and the formats that most files have.
    func quickFailure() -> String? {
        let tests: [() -> Result] =
            Self.timed.map { format in { product(format) } } + [
                { attention(.f16) }, { attention(.q8_0) }, mixture, { rows(.rms) },
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
    private static let timed: [Format] = [.q4_0, .q4_k, .q5_k, .q6_k, .q8_0, .iq4_xs, .f16, .bf16]

    private func product(_ format: Format) -> Result {
        let columns = max(256, 2 * format.blockLength)
        let weights = SyntheticWeights()
        weights.exactRows("x.weight", columns: columns, rows: 9)
        weights.matrix("w.weight", format, columns: columns, rows: 40)
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: 9, width: columns)
        let y = g.linear(x, "w", outputs: 40)
        return compare("linear \(format)", &g, g.outputRows(y), weights, rows: 9, bound: 1e-5)
    }

    private func attention(_ kv: KVFormat) -> Result {
        let weights = SyntheticWeights()
        let (width, heads, kvHeads, length) = (96, 6, 2, 64)
        weights.floats("x.weight", [width, 300])
        for (name, outputs) in [("q", heads * length), ("k", kvHeads * length), ("v", kvHeads * length)] {
            weights.floats("\(name).weight", [width, outputs], size: 0.2)
        }
        weights.floats("sinks.weight", [heads])
        var g = ProgramBuilder(weights)
        let table = RopeTable(
            pairing: .halves, inverseFrequencies: (0..<length / 2).map { 1 / Double(1 + $0 * $0) })
        let x = g.embed("x", vocabulary: 300, width: width)
        let k = g.rope(g.linear(x, "k", outputs: kvHeads * length), heads: kvHeads, table: table)
        g.store(key: k, value: g.linear(x, "v", outputs: kvHeads * length), layer: 0)
        let q = g.rope(g.linear(x, "q", outputs: heads * length), heads: heads, table: table)
        let y = g.attention(
            q, layer: 0, heads: heads, valueLength: length, scale: 0.125, softcap: 30, sinks: "sinks")
        return compare(
            "rope, store, attention \(kv.format)", &g, g.outputRows(y), weights, rows: 300, kv: kv,
            cache: CacheLayout(layers: [.init(kvHeads: kvHeads, keyLength: length, valueLength: length)]),
            bound: kv.format == .f32 ? 2e-5 : 5e-3)
    }

    private func mixture() -> Result {
        let weights = SyntheticWeights()
        let (width, hidden, experts) = (64, 96, 8)
        weights.floats("x.weight", [width, 5])
        weights.floats("router.weight", [width, experts])
        for name in ["gate", "up"] { weights.floats("\(name).weight", [width, hidden, experts], size: 0.2) }
        weights.floats("down.weight", [hidden, width, experts], size: 0.2)
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: 5, width: width)
        let y = g.moe(
            x, router: g.linear(x, "router", outputs: experts), gate: "gate", up: "up", down: "down",
            experts: experts, used: 2, hidden: hidden, routing: .softmaxNormalised, activation: .silu)
        return compare("mixture of experts", &g, g.outputRows(y), weights, rows: 5, bound: 2e-5)
    }

    private func rows(_ kind: Op.Norm.Kind) -> Result {
        let weights = SyntheticWeights()
        let width = 384
        weights.floats("x.weight", [width, 5])
        weights.floats("norm.weight", [width], around: 1, size: 0.2)
        weights.floats("norm.bias", [width], size: 0.2)
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: 5, width: width)
        let h = g.norm(x, "norm", epsilon: 1e-5, kind: kind)
        let y = g.add(
            g.gate(h, x, .silu), g.softcap(g.scale(g.activate(g.activate(h, .geluTanh), .gelu), 3), 2))
        return compare("\(kind) norm, activations", &g, g.outputRows(y), weights, rows: 5, bound: 2e-5)
    }

    private func compare(
        _ name: String, _ g: inout ProgramBuilder, _ result: Value, _ weights: SyntheticWeights, rows: Int,
        kv: KVFormat = .f16, cache: CacheLayout = CacheLayout(layers: []), bound: Double
    ) -> Result {
        do {
            let program = try g.finish(logits: result, cache: cache)
            let expected = try Self.logits(program, weights, on: ReferenceBackend(), rows: rows, kv)
            let found = try Self.logits(program, weights, on: backend, rows: rows, kv)
            let top = expected.map(abs).max() ?? 0
            var error = 0.0
            for (a, b) in zip(found, expected) {
                let difference = Double(abs(a - b)) / Double(max(top, .leastNormalMagnitude))
                error = difference.isNaN ? .infinity : max(error, difference)
            }
            return Result(name: name, error: error, bound: bound)
        } catch {
            return Result(name: name, error: .infinity, bound: bound, failure: "\(error)")
        }
    }

    private static func logits(
        _ program: Program, _ weights: SyntheticWeights, on backend: any Backend, rows: Int, _ kv: KVFormat
    ) throws -> [Float] {
        let blocks = (rows + 31) / 32
        let executable = try backend.compile(
            program, weights: try backend.load(weights, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(format: kv.format, blockCount: blocks),
            limits: StepLimits(rows: rows, sequences: 1, outputRows: rows))
        var inputs = StepInputs()
        inputs.tokens = (0..<rows).map { Int32($0) }
        inputs.sequences = [.init(firstRow: 0, rowCount: rows, firstPosition: 0, blockTable: 0)]
        inputs.blockTables = (0..<blocks).map { Int32($0) }
        inputs.outputRows = inputs.tokens
        var outputs = try StepOutputs(rows: rows, vocabulary: program.vocabularySize)
        try executable.run(inputs, into: &outputs)
        return (0..<rows).flatMap { row in outputs.withLogits(row: row) { span in span.indices.map { span[$0] } } }
    }
}
