/// Keeps the k likeliest tokens, and those that tie with the last of them.
struct TopK: LogitProcessor {
    private let k: Int

    init?(_ parameters: SamplingParameters) {
        guard let k = parameters.topK, k > 0 else { return nil }
        self.k = k
    }

    func apply(to candidates: inout Candidates) {
        guard k < candidates.tokenCount else { return }
        candidates.keep(scoresFrom: candidates.score(ofRank: k))
    }
}
