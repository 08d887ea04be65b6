/// Keeps the tokens whose information is nearest to the expected information (the entropy) until their probabilities sum to p, and
/// those that are as near as the last of them.
///
/// C. Meister et al.: Locally typical sampling, 2022.
struct TypicalP: LogitProcessor {
    private let p: Double

    init?(_ parameters: SamplingParameters) {
        guard let p = parameters.typicalP, p < 1 else { return nil }
        self.p = Double(p)
    }

    func apply(to candidates: inout Candidates) {
        candidates.requireAll()
        candidates.normalize()
        // Scores and information differ by a sign and a constant.
        let expected = candidates.maximum + candidates.expectedScore()
        // The bits of a float that is not negative sort as the float does.
        func distance(_ score: Float) -> UInt32 { abs(score - expected).bitPattern }
        let edge = candidates.crossing(p * candidates.total, key: distance)
        candidates.keep { distance($0) <= edge.key }
    }
}
