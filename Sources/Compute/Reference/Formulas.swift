internal import Glibc

extension Op.Activation {
    /// The activation's formula, evaluated in double precision.
    func callAsFunction(_ x: Float) -> Float {
        let x = Double(x)
        return switch self {
        case .silu: Float(x / (1 + exp(-x)))
        case .gelu: Float(0.5 * x * (1 + erf(x / 2.0.squareRoot())))
        case .geluTanh: Float(0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))))
        case .relu: Float(max(x, 0))
        case .reluSquared: Float(max(x, 0) * max(x, 0))
        case .sigmoid: Float(1 / (1 + exp(-x)))
        case .clampedSwish: preconditionFailure("clampedSwish is a gate's")
        }
    }

    /// What a gate makes of `up`.
    func gate(_ gate: Float, _ up: Float) -> Float {
        guard self == .clampedSwish else { return self(gate) * up }
        let (g, u) = (min(Double(gate), 7), max(-7, min(Double(up), 7)))
        return Float(g / (1 + exp(-1.702 * g)) * (u + 1))
    }
}

extension Op.Routing {
    /// The `used` best experts in ascending order of their index, each with its weight.
    func choose(_ logits: [Float], bias: [Float]?, _ used: Int) -> [(expert: Int, weight: Float)] {
        let top = Double(logits.max() ?? 0)
        let total = logits.reduce(0) { $0 + exp(Double($1) - top) }
        let scores = logits.map { logit in
            switch score {
            case .softmax: exp(Double(logit) - top) / total
            case .sigmoid: 1 / (1 + exp(-Double(logit)))
            }
        }
        // Where nothing else has a say, logits order experts as their scores do, without rounding.
        let ranks =
            if let bias { zip(scores, bias).map { $0 + Double($1) } } else if groups != nil { scores } else {
                logits.map(Double.init)
            }
        func best(_ indices: Range<Int>, by rank: (Int) -> Double, _ count: Int) -> [Int] {
            Array(indices.sorted { (rank($0), $1) > (rank($1), $0) }.prefix(count))
        }
        var allowed = Array(logits.indices)
        if let groups {
            let size = logits.count / groups.count
            let sums = (0..<groups.count).map { group in
                best(group * size..<(group + 1) * size, by: { ranks[$0] }, groups.best).reduce(0) {
                    $0 + ranks[$1]
                }
            }
            let kept = Set(best(0..<groups.count, by: { sums[$0] }, groups.used))
            allowed = allowed.filter { kept.contains($0 / size) }
        }
        let chosen = allowed.sorted { (ranks[$0], $1) > (ranks[$1], $0) }.prefix(used).sorted()
        let sum = normalised ? chosen.reduce(0) { $0 + scores[$1] } : 1
        return chosen.map { ($0, Float(scores[$0] / sum) * scale) }
    }
}

extension Op.Scale {
    /// The factor at a position.
    package func factor(at position: Int) -> Double {
        guard let growth else { return Double(factor) }
        return Double(factor)
            * (1 + growth.slope * log(1 + ((Double(position) + growth.shift) / growth.interval).rounded(.down)))
    }
}
