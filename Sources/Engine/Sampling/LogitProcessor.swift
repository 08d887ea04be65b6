/// One step of the chain: changes scores or drops candidates.
protocol LogitProcessor: Sendable {
    /// `nil` where the parameters leave this step off.
    init?(_ parameters: SamplingParameters)
    func apply(to candidates: inout Candidates)
}

/// The order of the steps behind the ``Penalties``, where a token is drawn. A grammar's mask belongs between them and these.
enum SamplingChain {
    static let warpers: [any LogitProcessor.Type] = [
        Temperature.self,
        TopK.self,
        TopP.self,
        TypicalP.self,
        MinP.self,
    ]
}
