/// Makes every token of prompt and output less likely: a positive score is divided by the penalty, a negative one multiplied.
///
/// N. S. Keskar et al.: CTRL: a conditional transformer language model for controllable generation, 2019, §4.1.
struct RepetitionPenalty: LogitProcessor {
    private let penalty: Float

    init?(_ parameters: SamplingParameters) {
        guard let penalty = parameters.repetitionPenalty, penalty != 1 else { return nil }
        self.penalty = penalty
    }

    static var readsHistory: Bool { true }

    func apply(to candidates: inout Candidates, history: TokenHistory?) {
        guard let history else { return }
        for id in history.distinct {
            candidates.update(id) { $0 < 0 ? $0 * penalty : $0 / penalty }
        }
    }
}
