internal import Compute
internal import Quant

/// Operations that are no plain products.
extension SelfTest {
    /// One row alone, a prompt, one row with many positions before it, and some: each takes kernels of its own.
    func attention(_ kv: KVFormat) -> Result {
        let weights = SyntheticWeights()
        let (width, heads, kvHeads, length, prompt) = (96, 6, 2, 64, 300)
        weights.floats("x.weight", [width, prompt])
        for (name, outputs) in [("q", heads * length), ("k", kvHeads * length), ("v", kvHeads * length)] {
            weights.floats("\(name).weight", [width, outputs], size: 0.2)
        }
        weights.floats("sinks.weight", [heads])
        var g = ProgramBuilder(weights)
        let table = RopeTable(
            pairing: .halves, inverseFrequencies: (0..<length / 2).map { 1 / Double(1 + $0 * $0) })
        let x = g.embed("x", vocabulary: prompt, width: width)
        let k = g.rope(g.linear(x, "k", outputs: kvHeads * length), heads: kvHeads, table: table)
        g.store(key: k, value: g.linear(x, "v", outputs: kvHeads * length), layer: 0)
        let q = g.rope(g.linear(x, "q", outputs: heads * length), heads: heads, table: table)
        let y = g.attention(
            q, layer: 0, heads: heads, valueLength: length, scale: 0.125, softcap: 30, sinks: "sinks")
        return compare(
            "rope, store, attention \(kv.format)", &g, y, weights,
            [.init(0, rows: 1), .init(1, rows: prompt - 1), .init(prompt, rows: 1), .init(prompt + 1, rows: 5)], kv: kv,
            cache: CacheLayout(layers: [.init(kvHeads: kvHeads, keyLength: length, valueLength: length)]),
            bound: kv.format == .f32 ? 2e-5 : 5e-3)
    }

    /// Few rows, and so many that an expert gets several.
    func mixture(_ format: Format, weighsInput: Bool = false) -> Result {
        let weights = SyntheticWeights()
        let (width, hidden, experts, vocabulary) = (64, 96, 8, 20)
        weights.floats("x.weight", [width, vocabulary])
        weights.floats("router.weight", [width, experts])
        for name in ["gate", "up"] {
            weights.floats("\(name).weight", [width, hidden, experts], size: 0.2, as: format)
        }
        weights.floats("down.weight", [hidden, width, experts], size: 0.2, as: format)
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: vocabulary, width: width)
        let y = g.moe(
            x, router: g.linear(x, "router", outputs: experts), gate: "gate", up: "up", down: "down",
            experts: experts, used: 2, hidden: hidden,
            routing: weighsInput
                ? .init(.sigmoid, normalised: false, weighsInput: true) : .softmaxNormalised, activation: .silu)
        return compare(
            "mixture of experts \(format)\(weighsInput ? ", weighed inputs" : "")", &g, y, weights,
            [.init(0, rows: 5), .init(0, rows: vocabulary)], bound: format == .f32 ? 2e-5 : 2e-2)
    }

    func rows(_ kind: Op.Norm.Kind) -> Result {
        let weights = SyntheticWeights()
        let width = 384
        weights.floats("x.weight", [width, 5])
        weights.floats("norm.weight", [width], around: 1, size: 0.2)
        weights.floats("norm.bias", [width], size: 0.2)
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: 5, width: width)
        let h = g.norm(x, "norm", epsilon: 1e-5, kind: kind)
        let y = g.add(
            g.gate(h, x, .silu), g.softcap(g.scale(g.activate(g.activate(h, .geluTanh), .gelu), 3), 2))
        return compare("\(kind) norm, activations", &g, y, weights, [.init(0, rows: 5)], bound: 2e-5)
    }

    /// What models with latent attention do with the parts of heads.
    func headParts() -> Result {
        let weights = SyntheticWeights()
        let (heads, length, rotated, outputs, vocabulary) = (4, 24, 16, 16, 9)
        weights.floats("x.weight", [heads * length, vocabulary])
        weights.floats("w.weight", [length, outputs, heads], size: 0.2)
        var g = ProgramBuilder(weights)
        let table = RopeTable(
            pairing: .interleaved, inverseFrequencies: (0..<rotated / 2).map { 1 / Double(1 + $0 * $0) })
        let x = g.rope(
            g.embed("x", vocabulary: vocabulary, width: heads * length), heads: heads, table: table,
            offset: length - rotated)
        let y = g.headLinear(x, "w", heads: heads, outputs: outputs)
        let parts = g.join(
            [.init(y, heads: heads, 0..<outputs), .init(x, heads: heads, length - rotated..<length)], heads: heads)
        return compare("rope, head products, join", &g, parts, weights, [.init(0, rows: vocabulary)], bound: 2e-5)
    }
}
