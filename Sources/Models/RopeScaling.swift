internal import Compute
internal import Glibc

/// The rotary embedding that a file's `rope.*` keys describe.
struct RopeScaling {
    /// Rotated dimensions of a head.
    let dimensions: Int
    private let base: Double
    private let kind: Kind

    private enum Kind {
        case none
        /// Positions divided by a factor.
        case linear(factor: Double)
        /// YaRN (arXiv:2309.00071): low frequencies interpolated, high ones kept, a ramp between.
        case yarn(factor: Double, originalContext: Int, betaFast: Double, betaSlow: Double, attention: Double)
    }

    init(_ parameters: Hyperparameters, headLength: Int, contextLength: Int) throws(ModelError) {
        dimensions = try parameters.optionalCount("rope.dimension_count") ?? headLength
        guard dimensions <= headLength, dimensions.isMultiple(of: 2) else {
            throw parameters.invalid("rope.dimension_count", "is \(dimensions), heads have \(headLength) dimensions")
        }
        base = try parameters.float("rope.freq_base") ?? 10_000
        guard base > 0 else { throw parameters.invalid("rope.freq_base", "is \(base)") }

        let legacy = try parameters.float("rope.scale_linear")
        let factor = try parameters.float("rope.scaling.factor") ?? legacy ?? 1
        guard factor >= 0 else { throw parameters.invalid("rope.scaling.factor", "is \(factor)") }
        let type = try parameters.string("rope.scaling.type")
        switch type ?? (factor > 0 && factor != 1 ? "linear" : "none") {
        case "none": kind = .none
        case "linear": kind = factor > 0 ? .linear(factor: factor) : .none
        case "yarn" where factor > 0:
            kind = .yarn(
                factor: factor,
                originalContext: try parameters.optionalCount("rope.scaling.original_context_length") ?? contextLength,
                betaFast: try parameters.float("rope.scaling.yarn_beta_fast") ?? 32,
                betaSlow: try parameters.float("rope.scaling.yarn_beta_slow") ?? 1,
                attention: try parameters.float("rope.scaling.attn_factor") ?? 1)
        default:
            throw parameters.invalid("rope.scaling.type", "is '\(type ?? "")', which is not supported")
        }
    }

    /// - Parameter factors: Divisors of each pair's frequency (`rope_freqs`), where the file has them.
    func table(_ pairing: RopeTable.Pairing, factors: [Float]? = nil) -> RopeTable {
        let pairs = dimensions / 2
        let natural = (0..<pairs).map { pair in
            pow(base, -2 * Double(pair) / Double(dimensions)) / (factors.map { Double($0[pair]) } ?? 1)
        }
        switch kind {
        case .none:
            return RopeTable(pairing: pairing, inverseFrequencies: natural)
        case .linear(let factor):
            return RopeTable(pairing: pairing, inverseFrequencies: natural.map { $0 / factor })
        case .yarn(let factor, let context, let betaFast, let betaSlow, let attention):
            let low = max(0, pairOfRotations(betaFast, context).rounded(.down))
            let high = min(Double(dimensions - 1), pairOfRotations(betaSlow, context).rounded(.up))
            let frequencies = natural.enumerated().map { pair, frequency in
                let ramp = min(1, max(0, (Double(pair) - low) / max(0.001, high - low)))
                return frequency * (1 - ramp) + frequency / factor * ramp
            }
            let magnitude = attention * (1 + 0.1 * log(factor))
            return RopeTable(pairing: pairing, inverseFrequencies: frequencies, magnitude: Float(magnitude))
        }
    }

    /// The (fractional) pair that turns `rotations` times within the original context.
    private func pairOfRotations(_ rotations: Double, _ context: Int) -> Double {
        Double(dimensions) * log(Double(context) / (rotations * 2 * .pi)) / (2 * log(base))
    }
}
