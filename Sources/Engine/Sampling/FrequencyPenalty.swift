/// Lowers the score of a token in proportion to how often it has occurred.
struct FrequencyPenalty: LogitProcessor {
    private let penalty: Float
    private let form: SamplingParameters.FrequencyForm

    init?(_ parameters: SamplingParameters) {
        guard let penalty = parameters.frequencyPenalty, penalty != 0 else { return nil }
        self.penalty = penalty
        form = parameters.frequencyForm
    }

    static var readsHistory: Bool { true }

    func apply(to candidates: inout Candidates, history: TokenHistory?) {
        guard let history else { return }
        for id in history.distinct {
            let frequency =
                switch form {
                case .relative: Float(history.occurrences(id)) / Float(history.length)
                case .count: Float(history.generations(id))
                }
            candidates.update(id) { $0 - frequency * penalty }
        }
    }
}
