import Glibc

/// Drops the tokens that are less likely than a share of the likeliest.
struct MinP: LogitProcessor {
    private let logarithm: Float

    init?(_ parameters: SamplingParameters) {
        guard let share = parameters.minP, share > 0 else { return nil }
        logarithm = log(share)
    }

    func apply(to candidates: inout Candidates) {
        candidates.keep(scoresFrom: candidates.greatestScore() + logarithm)
    }
}
