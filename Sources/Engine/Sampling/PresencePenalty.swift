/// Lowers the score of every token that has been generated, by the same amount however often (OpenAI's presence penalty).
struct PresencePenalty: Penalty {
    private let penalty: Float

    init?(_ parameters: SamplingParameters) {
        guard let penalty = parameters.presencePenalty, penalty != 0 else { return nil }
        self.penalty = penalty
    }

    func amount(_ id: Int32, _ history: TokenHistory) -> Float { history.generations(id) > 0 ? penalty : 0 }
}
