/// Which values and weights an operation reads and what it writes: all that passes, planning and accounts need to know of it.
extension Op {
    /// The name of its case.
    package var name: String { Mirror(reflecting: self).children.first?.label ?? "\(self)" }

    package var reads: [Value] {
        switch self {
        case .embed: []
        case .norm(let op): [op.input]
        case .linear(let op): [op.input] + op.projections.compactMap(\.residual)
        case .headLinear(let op): [op.input]
        case .join(let op): op.pieces.map(\.value)
        case .rope(let op): [op.input]
        case .store(let op): [op.key, op.value]
        case .attention(let op): [op.query]
        case .gate(let op): [op.gate, op.up]
        case .activate(let op): [op.input]
        case .moe(let op): [op.input, op.router]
        case .add(let op): [op.left, op.right]
        case .scale(let op): [op.input]
        case .softcap(let op): [op.input]
        case .outputRows(let op): [op.input]
        }
    }

    package var writes: [Value] {
        switch self {
        case .embed(let op): [op.output]
        case .norm(let op): [op.output]
        case .linear(let op): op.projections.map(\.output)
        case .headLinear(let op): [op.output]
        case .join(let op): [op.output]
        case .rope(let op): [op.output]
        case .store: []
        case .attention(let op): [op.output]
        case .gate(let op): [op.output]
        case .activate(let op): [op.output]
        case .moe(let op): [op.output]
        case .add(let op): [op.output]
        case .scale(let op): [op.output]
        case .softcap(let op): [op.output]
        case .outputRows(let op): [op.output]
        }
    }

    /// The weights that it reads, and how.
    package var weights: [(weight: Weight, role: WeightRoles)] {
        let all: [(Weight?, WeightRoles)] =
            switch self {
            case .embed(let op): [(op.table, .table)]
            case .norm(let op): [(op.weight, .vector), (op.bias, .vector)]
            case .linear(let op): op.projections.flatMap { [($0.weight, .matrix), ($0.bias, .vector)] }
            case .headLinear(let op): [(op.weight, .matrix)]
            case .attention(let op): [(op.sinks, .vector)]
            case .moe(let op):
                [
                    (op.gate, .matrix), (op.up, .matrix), (op.down, .matrix), (op.biases?.gate, .vector),
                    (op.biases?.up, .vector), (op.biases?.down, .vector), (op.choiceBias, .vector),
                ]
            case .join, .rope, .store, .gate, .activate, .add, .scale, .softcap, .outputRows: []
            }
        return all.compactMap { weight, role in weight.map { ($0, role) } }
    }
}
