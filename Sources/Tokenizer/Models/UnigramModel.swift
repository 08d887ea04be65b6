/// SentencePiece's unigram model: the segmentation with the highest sum of scores (Viterbi over character positions).
struct UnigramModel: TokenModel {
    private struct Step {
        var score: Double
        var token: TokenID
        var start: Int
    }

    private let scores: [Double]
    private let tokens: ByteTrie
    private let unknown: TokenID
    private let unknownScore: Double
    private let normalizer: UnigramNormalizer

    /// How much worse than the worst token an unknown character is.
    private static let unknownPenalty = 10.0

    init(_ vocabulary: Vocabulary, unknown: TokenID, normalizer: UnigramNormalizer) {
        var tokens = ByteTrie()
        var worst = Float.greatestFiniteMagnitude
        for id in 0..<vocabulary.count {
            let attributes = vocabulary.attributes[id]
            if attributes.contains(.normal) { worst = min(worst, vocabulary.scores[id]) }
            if attributes.isDisjoint(with: [.normal, .userDefined, .unused]) { continue }
            tokens.insert(vocabulary.keys[id], Int32(id))
        }
        self.tokens = tokens
        // User-defined tokens win over any split.
        scores = vocabulary.scores.indices.map { id in
            vocabulary.attributes[id].contains(.userDefined) ? 0 : Double(vocabulary.scores[id])
        }
        self.unknown = unknown
        unknownScore = Double(worst) - Self.unknownPenalty
        self.normalizer = normalizer
    }

    func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout [TokenID]) {
        let normalized = normalizer.normalize(text)
        guard !normalized.isEmpty else { return }
        let steps = best(normalized.span)
        let start = output.count
        var end = normalized.count
        var wasUnknown = false
        while end > 0 {
            let step = steps[end]
            let isUnknown = step.token == unknown
            if !isUnknown || !wasUnknown { output.append(step.token) }
            wasUnknown = isUnknown
            end = step.start
        }
        output[start...].reverse()
    }

    /// By end position, the last token of the best segmentation so far.
    private func best(_ text: Span<UInt8>) -> [Step] {
        var steps = [Step](
            repeating: Step(score: -.greatestFiniteMagnitude, token: unknown, start: 0), count: text.count + 1)
        steps[0].score = 0
        var start = 0
        while start < text.count {
            let next = min(start + UTF8Bytes.length(first: text[start]), text.count)
            let score = steps[start].score
            var hasCharacter = false
            var node = ByteTrie.root
            var end = start
            while end < text.count, let child = tokens.child(of: node, text[end]) {
                node = child
                end += 1
                guard let token = tokens.value(node) else { continue }
                if end == next { hasCharacter = true }
                let total = score + scores[Int(token)]
                if total > steps[end].score { steps[end] = Step(score: total, token: token, start: start) }
            }
            if !hasCharacter, score + unknownScore > steps[next].score {
                steps[next] = Step(score: score + unknownScore, token: unknown, start: start)
            }
            start = next
        }
        return steps
    }
}
