internal import Compute

/// `down(activation(gate · x) * (up · x))`. Gate and up are two tensors, or one (`ffn_up`, gate first) where the file has no gate.
struct GatedMLP {
    let hidden: Int
    var activation = Op.Activation.silu
    /// Appended to the names of its tensors, as in `ffn_up_shexp`.
    var suffix = ""

    func callAsFunction(_ g: inout ProgramBuilder, _ h: Value, _ block: String) -> Value {
        let (gateName, upName) = ("\(block).ffn_gate\(suffix)", "\(block).ffn_up\(suffix)")
        let gate: Value
        let up: Value
        if g.has(gateName) {
            gate = g.linear(h, gateName, outputs: hidden)
            up = g.linear(h, upName, outputs: hidden)
        } else {
            gate = g.linear(h, upName, rows: 0..<hidden, of: 2 * hidden)
            up = g.linear(h, upName, rows: hidden..<2 * hidden, of: 2 * hidden)
        }
        return g.linear(g.gate(gate, up, activation), "\(block).ffn_down\(suffix)", outputs: g.width(h))
    }
}

/// `down(activation(up · x))`.
struct PlainMLP {
    let hidden: Int
    let activation: Op.Activation

    func callAsFunction(_ g: inout ProgramBuilder, _ h: Value, _ block: String) -> Value {
        let middle = g.activate(g.linear(h, "\(block).ffn_up", outputs: hidden), activation)
        return g.linear(middle, "\(block).ffn_down", outputs: g.width(h))
    }
}
