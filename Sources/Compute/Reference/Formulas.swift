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
        }
    }
}

extension Op.MoE.Routing {
    /// The `used` best experts in ascending order of their index, each with its share.
    func choose(_ logits: [Float], _ used: Int) -> [(expert: Int, share: Float)] {
        let top = Double(logits.max() ?? 0)
        let shares = logits.map { exp(Double($0) - top) }
        let total = shares.reduce(0, +)
        let chosen = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }.prefix(used).sorted()
        let sum =
            switch self {
            case .softmax: total
            case .softmaxNormalised: chosen.reduce(0) { $0 + shares[$1] }
            }
        return chosen.map { ($0, Float(shares[$0] / sum)) }
    }
}
