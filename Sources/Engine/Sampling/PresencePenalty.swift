/// Lowers the score of every token that has been generated, by the same amount however often (OpenAI's presence penalty).
struct PresencePenalty: LogitProcessor {
    private let penalty: Float

    init?(_ parameters: SamplingParameters) {
        guard let penalty = parameters.presencePenalty, penalty != 0 else { return nil }
        self.penalty = penalty
    }

    static var readsHistory: Bool { true }

    func apply(to candidates: inout Candidates, history: TokenHistory?) {
        guard let history else { return }
        for id in history.distinct where history.generations(id) > 0 {
            candidates.update(id) { $0 - penalty }
        }
    }
}
