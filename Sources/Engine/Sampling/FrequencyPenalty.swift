/// Lowers the score of a token in proportion to how often it has occurred.
struct FrequencyPenalty: Penalty {
    private let penalty: Float
    private let form: SamplingParameters.FrequencyForm

    init?(_ parameters: SamplingParameters) {
        guard let penalty = parameters.frequencyPenalty, penalty != 0 else { return nil }
        self.penalty = penalty
        form = parameters.frequencyForm
    }

    func amount(_ id: Int32, _ history: TokenHistory) -> Float {
        let frequency =
            switch form {
            case .relative: Float(history.occurrences(id)) / Float(history.length)
            case .count: Float(history.generations(id))
            }
        return frequency * penalty
    }
}
