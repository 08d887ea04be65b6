/// Which values an operation reads and writes: all that passes and buffer planning need to know of it.
extension Op {
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
}
