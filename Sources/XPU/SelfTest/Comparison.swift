internal import Compute
internal import Quant

/// Programs on the device and on the reference.
extension SelfTest {
    /// Rows of a sequence, from a position on. A row's token is its position, as far as the vocabulary goes.
    struct Step {
        let position: Int
        let rows: Int

        init(_ position: Int, rows: Int) { (self.position, self.rows) = (position, rows) }
    }

    /// Compares `result` in all rows of all steps.
    func compare(
        _ name: String, _ g: inout ProgramBuilder, _ result: Value, _ weights: SyntheticWeights, _ steps: [Step],
        kv: KVFormat = .f16, cache: CacheLayout = CacheLayout(layers: []), bound: Double
    ) -> Result {
        do {
            let program = try g.finish(logits: g.outputRows(result), cache: cache)
            let expected = try Self.logits(program, weights, on: ReferenceBackend(), steps, kv)
            let found = try Self.logits(program, weights, on: backend, steps, kv)
            let error = zip(found, expected).map { Self.difference($0, $1) }.max() ?? .infinity
            return Result(name: name, error: error, bound: bound)
        } catch {
            return Result(name: name, error: .infinity, bound: bound, failure: "\(error)")
        }
    }

    /// The largest difference, relative to the largest magnitude that is expected.
    static func difference(_ found: [Float], _ expected: [Float]) -> Double {
        let top = expected.map(abs).max() ?? 0
        return zip(found, expected).reduce(found.count == expected.count ? 0 : .infinity) { error, pair in
            let difference = Double(abs(pair.0 - pair.1)) / Double(max(top, .leastNormalMagnitude))
            return difference.isNaN ? .infinity : max(error, difference)
        }
    }

    /// Of each step, all rows.
    private static func logits(
        _ program: Program, _ weights: SyntheticWeights, on backend: any Backend, _ steps: [Step], _ kv: KVFormat
    ) throws -> [[Float]] {
        let blocks = ((steps.map { $0.position + $0.rows }.max() ?? 1) + 31) / 32
        let rows = steps.map(\.rows).max() ?? 1
        let executable = try backend.compile(
            program, weights: try backend.load(weights, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(format: kv.format, blockCount: blocks),
            limits: StepLimits(rows: rows, sequences: 1, outputRows: rows))
        let vocabulary = weights.dimensions(of: "x.weight")?.last ?? 1
        var outputs = try StepOutputs(rows: rows, vocabulary: program.vocabularySize)
        return try steps.map { step in
            var inputs = StepInputs()
            inputs.tokens = (0..<step.rows).map { Int32((step.position + $0) % vocabulary) }
            inputs.sequences = [
                .init(firstRow: 0, rowCount: step.rows, firstPosition: step.position, blockTable: 0)
            ]
            inputs.blockTables = (0..<blocks).map { Int32($0) }
            inputs.outputRows = (0..<step.rows).map { Int32($0) }
            try executable.run(inputs, into: &outputs)
            return (0..<step.rows).flatMap { row in
                outputs.withLogits(row: row) { span in span.indices.map { span[$0] } }
            }
        }
    }
}

extension SelfTest.Result {
    /// Of results of one test, the one that failed or is furthest off.
    static func worst(_ results: [Self]) -> Self {
        results.first { !$0.passed } ?? results.max { $0.error < $1.error }!
    }
}
