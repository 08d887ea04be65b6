/// One step of the chain: changes scores or drops candidates.
protocol LogitProcessor: Sendable {
    /// `nil` where the parameters leave this step off.
    init?(_ parameters: SamplingParameters)
    /// Whether ``apply(to:history:)`` looks at the history.
    static var readsHistory: Bool { get }
    func apply(to candidates: inout Candidates, history: TokenHistory?)
}

extension LogitProcessor {
    static var readsHistory: Bool { false }
}

/// The order of the steps.
enum SamplingChain {
    /// Applied to greedy steps too; these see every token of the vocabulary. A grammar's mask belongs behind them.
    static let penalties: [any LogitProcessor.Type] = [
        RepetitionPenalty.self,
        FrequencyPenalty.self,
        PresencePenalty.self,
        // Behind the penalties: what they add commutes with a bias, but the repetition penalty scales, and would make more or less of
        // a bias than was asked for.
        LogitBias.self,
    ]

    /// Applied where a token is drawn.
    static let warpers: [any LogitProcessor.Type] = [
        Temperature.self,
        TopK.self,
        TopP.self,
        TypicalP.self,
        MinP.self,
    ]
}
