/// Adds a number to the scores of single tokens.
struct LogitBias: LogitProcessor {
    /// Ascending by id.
    private let biases: [(id: Int32, bias: Float)]

    init?(_ parameters: SamplingParameters) {
        guard !parameters.logitBias.isEmpty else { return nil }
        biases = parameters.logitBias.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func apply(to candidates: inout Candidates, history: TokenHistory?) {
        for (id, bias) in biases { candidates.update(id) { $0 + bias } }
    }
}
