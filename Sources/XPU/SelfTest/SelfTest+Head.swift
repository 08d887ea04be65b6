internal import Compute
internal import Quant

/// Heads of rows of logits.
extension SelfTest {
    /// Penalties, biases, the choice of a head and its sums: the bits of the reference, for by them the host finds the token that the
    /// row would give.
    func head() -> Result {
        let name = "penalties, heads of rows"
        do {
            var error = 0.0
            for (found, expected) in try headsFound() {
                let count = Int(expected.words[HeadLayout.count])
                let ids = HeadLayout.ids..<HeadLayout.ids + count
                guard Int(found.words[HeadLayout.count]) == count, found.words[ids] == expected.words[ids] else {
                    throw BackendError.device("other tokens are listed than the reference's \(count)")
                }
                error = max(error, Self.difference(found.row, expected.row))
                for part in [
                    HeadLayout.threshold..<HeadLayout.maximum + 1, HeadLayout.logits..<HeadLayout.logits + count,
                    HeadLayout.blockSums..<HeadLayout.blockSums + HeadLayout(vocabulary: expected.row.count).blocks,
                ] {
                    func floats(_ words: [UInt32]) -> [Float] { words[part].map { Float(bitPattern: $0) } }
                    error = max(error, Self.difference(floats(found.words), floats(expected.words)))
                }
            }
            return Result(name: name, error: error, bound: 0)
        } catch {
            return Result(name: name, error: .infinity, bound: 0, failure: "\(error)")
        }
    }

    /// A row as it was processed, and its head.
    private typealias Processed = (row: [Float], words: [UInt32])

    private func headsFound() throws -> [(found: Processed, expected: Processed)] {
        let (vocabulary, rows, changes) = (32000, 3, 200)
        let weights = SyntheticWeights()
        weights.floats("x.weight", [vocabulary, rows], size: 12)
        var g = ProgramBuilder(weights)
        let program = try g.finish(
            logits: g.outputRows(g.embed("x", vocabulary: rows, width: vocabulary)), cache: CacheLayout(layers: []))
        let executable = try backend.compile(
            program, weights: try backend.load(weights, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(format: .f16, blockCount: rows),
            limits: StepLimits(rows: rows, sequences: rows, outputRows: rows), heads: .always)
        let raw = weights.values("x.weight")
        var inputs = StepInputs()
        for row in 0..<rows {
            inputs.append([Int32(row)], position: 0, outputs: 1)
            inputs.blockTables.append(Int32(row))
            var request = HeadRequest()
            request.isWanted = true
            request.temperature = [1, 0.7, 1.3][row]
            request.repetition = [1, 1.1, 0.7][row]
            request.firstChange = row * (changes + 2)
            request.penalized = changes
            request.biased = 2
            for index in 0..<changes {
                let id = index * (vocabulary / changes) + row
                inputs.logitChanges.append(.init(id: Int32(id), amount: Float(index % 7) / 8))
            }
            inputs.logitChanges.append(.init(id: Int32(row), amount: 5))
            inputs.logitChanges.append(.init(id: Int32(vocabulary - 1), amount: -100))
            inputs.heads.append(request)
        }
        var outputs = try StepOutputs(rows: rows, vocabulary: vocabulary)
        try executable.run(inputs, into: &outputs)
        return try (0..<rows).map { row in
            let words = unsafe Array(outputs.headBuffer(row: row))
            // A block alone, and then the row.
            let block = 3
            try executable.fetch(row, block: block, into: &outputs)
            let part = outputs.withBlock(block, row: row) { part in part.logits.indices.map { part.logits[$0] } }
            try executable.fetch(row, into: &outputs)
            let found = outputs.withLogits(row: row) { span in span.indices.map { span[$0] } }
            guard part == Array(found[StepOutputs.tokens(of: block, vocabulary: vocabulary)]) else {
                throw BackendError.device("block \(block) is not that of its row")
            }
            var expected = Array(raw[row * vocabulary..<(row + 1) * vocabulary])
            var expectedWords = [UInt32](repeating: 0, count: HeadLayout(vocabulary: vocabulary).words)
            var rowSpan = expected.mutableSpan
            var wordSpan = expectedWords.mutableSpan
            ReferenceHead.compute(inputs.heads[row], inputs.logitChanges.span, &rowSpan, into: &wordSpan)
            return ((found, words), (expected, expectedWords))
        }
    }
}
