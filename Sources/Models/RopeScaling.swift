internal import Compute
internal import Glibc

/// The rotary embedding that a file's `rope.*` keys and factor tensors describe.
struct RopeScaling {
    /// Rotated dimensions of a head.
    let dimensions: Int
    /// Tokens of context before any scaling.
    let originalContext: Int
    private let base: Double
    private let kind: Kind
    /// Factor on sine and cosine that the file gives beside the rule's own.
    private let attention: Double
    /// Whether the context that the program is drawn for is longer than the original one.
    private let isLong: Bool

    private enum Kind {
        case none
        /// Positions divided by a factor.
        case linear(factor: Double)
        case yarn(YaRN)
    }

    /// - Parameters:
    ///   - defaultBase: Where the file does not say.
    ///   - yarnMagnitude: The magnitude of YaRN, in place of the usual rule.
    ///   - yarnRounds: Whether the ends of YaRN's ramp are whole pairs.
    init(
        _ parameters: Hyperparameters, headLength: Int, contextLength: Int, defaultBase: Double = 10_000,
        yarnMagnitude: Double? = nil, yarnRounds: Bool = true
    ) throws(ModelError) {
        dimensions = try parameters.optionalCount("rope.dimension_count") ?? headLength
        guard dimensions <= headLength, dimensions.isMultiple(of: 2) else {
            throw parameters.invalid("rope.dimension_count", "is \(dimensions), heads have \(headLength) dimensions")
        }
        base = try parameters.float("rope.freq_base") ?? defaultBase
        guard base > 0 else { throw parameters.invalid("rope.freq_base", "is \(base)") }
        originalContext = try parameters.optionalCount("rope.scaling.original_context_length") ?? contextLength
        isLong = parameters.plannedContext ?? contextLength > originalContext
        attention = try parameters.float("rope.scaling.attn_factor") ?? 1

        let legacy = try parameters.float("rope.scale_linear")
        let factor = try parameters.float("rope.scaling.factor") ?? legacy ?? 1
        guard factor >= 0 else { throw parameters.invalid("rope.scaling.factor", "is \(factor)") }
        let type = try parameters.string("rope.scaling.type")
        switch type ?? (factor > 0 && factor != 1 ? "linear" : "none") {
        // The factors of longrope are tensors.
        case "none", "longrope": kind = .none
        case "linear": kind = factor > 0 ? .linear(factor: factor) : .none
        case "yarn" where factor > 0:
            kind = .yarn(
                try YaRN(
                    parameters, factor: factor, context: originalContext, magnitude: yarnMagnitude,
                    rounds: yarnRounds))
        default:
            throw parameters.invalid("rope.scaling.type", "is '\(type ?? "")', which is not supported")
        }
    }

    /// The table with the divisors of each pair's frequency that the file has: `rope_freqs`, or for longrope
    /// (arXiv:2402.13753) `rope_factors_long` where the planned context is longer than the original one, else `rope_factors_short`.
    func table(_ g: inout ProgramBuilder, _ pairing: RopeTable.Pairing) -> RopeTable {
        let count = dimensions / 2
        let long = g.constants("rope_factors_long", count: count)
        let short = g.constants("rope_factors_short", count: count)
        let factors = g.constants("rope_freqs", count: count) ?? (isLong ? long : short)
        return table(pairing, base: base, kind: kind, factors: factors)
    }

    /// A table without scaling, for layers that are exempt from it.
    /// - Parameter base: In place of the file's.
    func unscaledTable(_ pairing: RopeTable.Pairing, base: Double? = nil) -> RopeTable {
        table(pairing, base: base ?? self.base, kind: .none, factors: nil)
    }

    private func table(_ pairing: RopeTable.Pairing, base: Double, kind: Kind, factors: [Float]?) -> RopeTable {
        let natural = (0..<dimensions / 2).map { pair in
            pow(base, -2 * Double(pair) / Double(dimensions)) / (factors.map { Double($0[pair]) } ?? 1)
        }
        let magnitude: Double
        let frequencies: [Double]
        switch kind {
        case .none: (frequencies, magnitude) = (natural, 1)
        case .linear(let factor): (frequencies, magnitude) = (natural.map { $0 / factor }, 1)
        case .yarn(let yarn): (frequencies, magnitude) = (yarn.stretched(natural, base: base), yarn.magnitude)
        }
        return RopeTable(
            pairing: pairing, inverseFrequencies: frequencies, magnitude: Float(attention * magnitude))
    }
}

/// YaRN (arXiv:2309.00071): low frequencies interpolated, high ones kept, a ramp between.
struct YaRN {
    let factor: Double
    let magnitude: Double
    private let context: Int
    private let betaFast: Double
    private let betaSlow: Double
    private let rounds: Bool

    init(
        _ parameters: Hyperparameters, factor: Double, context: Int, magnitude: Double?, rounds: Bool
    ) throws(ModelError) {
        self.factor = factor
        self.context = context
        self.rounds = rounds
        betaFast = try parameters.float("rope.scaling.yarn_beta_fast") ?? 32
        betaSlow = try parameters.float("rope.scaling.yarn_beta_slow") ?? 1
        // What models call `mscale_all_dim`: they apply that part of the magnitude elsewhere.
        let elsewhere = try parameters.float("rope.scaling.yarn_log_multiplier") ?? 0
        let written = try parameters.float("rope.scaling.yarn_attn_factor")
        self.magnitude = magnitude ?? written ?? Self.magnitude(factor, 1) / Self.magnitude(factor, elsewhere)
    }

    static func magnitude(_ factor: Double, _ weight: Double) -> Double {
        factor > 1 ? 1 + 0.1 * weight * log(factor) : 1
    }

    func stretched(_ natural: [Double], base: Double) -> [Double] {
        let dimensions = Double(2 * natural.count)
        /// The (fractional) pair that turns `rotations` times within the original context.
        func pair(rotations: Double) -> Double {
            dimensions * log(Double(context) / (rotations * 2 * .pi)) / (2 * log(base))
        }
        let (fast, slow) = (pair(rotations: betaFast), pair(rotations: betaSlow))
        let low = max(0, rounds ? fast.rounded(.down) : fast)
        let high = min(dimensions - 1, rounds ? slow.rounded(.up) : slow)
        return natural.enumerated().map { pair, frequency in
            let ramp = min(1, max(0, (Double(pair) - low) / max(0.001, high - low)))
            return frequency * (1 - ramp) + frequency / factor * ramp
        }
    }
}
