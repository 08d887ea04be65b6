internal import Compute

/// Lowers (or raises) the scores of tokens that have occurred.
protocol Penalty: Sendable {
    /// `nil` where the parameters leave it off.
    init?(_ parameters: SamplingParameters)
    /// What is subtracted from the score of a token of the history.
    func amount(_ id: Int32, _ history: TokenHistory) -> Float
}

/// What changes the scores of single tokens before anything is chosen, greedily or not: the penalties, then the biases.
///
/// Behind the penalties: what they add commutes with a bias, but the repetition penalty scales, and would make more or less of a bias than
/// was asked for. A device that gives heads of rows does the same to its rows (``HeadRequest``).
struct Penalties: Sendable {
    private static let kinds: [any Penalty.Type] = [FrequencyPenalty.self, PresencePenalty.self]

    /// The factor of N. S. Keskar et al.: CTRL: a conditional transformer language model for controllable generation, 2019, §4.1, for the
    /// tokens of prompt and output; 1 changes nothing.
    let repetition: Float
    private let penalties: [any Penalty]
    /// Ascending by id.
    let biases: [LogitChange]

    init(_ parameters: SamplingParameters) {
        repetition = parameters.repetitionPenalty ?? 1
        penalties = Self.kinds.compactMap { $0.init(parameters) }
        biases = parameters.logitBias.sorted { $0.key < $1.key }.map { LogitChange(id: $0.key, amount: $0.value) }
    }

    var isEmpty: Bool { !readsHistory && biases.isEmpty }
    var readsHistory: Bool { repetition != 1 || !penalties.isEmpty }

    /// What the penalties subtract from the score of a token of the history.
    func amount(_ id: Int32, _ history: TokenHistory) -> Float {
        var amount: Float = 0
        for penalty in penalties { amount += penalty.amount(id, history) }
        return amount
    }

    func apply(to candidates: inout Candidates, _ history: TokenHistory?) {
        if let history {
            for id in history.distinct {
                let amount = amount(id, history)
                candidates.update(id) { LogitChange.penalized($0, repetition: repetition, amount: amount) }
            }
        }
        for bias in biases { candidates.update(bias.id) { $0 + bias.amount } }
    }

    /// Describes ``apply(to:_:)`` for a device.
    func append(_ history: TokenHistory?, to inputs: inout StepInputs, _ request: inout HeadRequest) {
        request.repetition = repetition
        request.firstChange = inputs.logitChanges.count
        if let history {
            for id in history.distinct {
                inputs.logitChanges.append(LogitChange(id: id, amount: amount(id, history)))
            }
        }
        request.penalized = inputs.logitChanges.count - request.firstChange
        inputs.logitChanges.append(contentsOf: biases)
        request.biased = biases.count
    }
}
