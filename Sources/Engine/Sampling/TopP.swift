import Glibc

/// Keeps the smallest set of likeliest tokens whose probabilities sum to p; of equal tokens at its edge, those with the lowest ids.
///
/// A. Holtzman et al.: The curious case of neural text degeneration, 2019, §3.1 (nucleus sampling).
struct TopP: LogitProcessor {
    private let p: Double

    init?(_ parameters: SamplingParameters) {
        guard let p = parameters.topP, p < 1 else { return nil }
        self.p = Double(p)
    }

    func apply(to candidates: inout Candidates) {
        candidates.normalize()
        let mass = p * candidates.total
        if candidates.isComplete {
            // Tokens with less than (1 - p) / count each have less than 1 - p together: none of them is in the set. The margin covers
            // the rounding of the exponentials.
            let least = log((candidates.total - mass) / Double(candidates.count)) - 0.001
            candidates.keep(scoresFrom: candidates.maximum + Float(least))
            candidates.normalize()
        }

        let edge = candidates.crossing(mass, key: Candidates.descending)
        candidates.dropUnlisted(below: Candidates.score(edge.key), if: edge.isReached)
        let weight = Double(candidates.weight(Candidates.score(edge.key)))
        var ties = max(1, ((mass - edge.before) / weight).rounded(.up))
        candidates.keep { score in
            let key = Candidates.descending(score)
            guard key == edge.key else { return key < edge.key }
            ties -= 1
            return ties >= 0
        }
    }
}
