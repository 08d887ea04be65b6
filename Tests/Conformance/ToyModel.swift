import Compute
import Quant

/// A small transformer with switches for everything that an operation can be asked for.
struct ToyModel: Sendable, CustomStringConvertible {
    var name = "llama"
    var format = Format.f32
    var vocabulary = 97
    var width = 64
    var heads = 4
    var kvHeads = 2
    var keyLength = 16
    var valueLength = 16
    var hidden = 96
    var layers = 2
    var window: Int?
    /// In all layers but the first.
    var firstSeesAll = false
    var softcap: Float?
    var pairing = RopeTable.Pairing.interleaved
    var rotated = 16
    var magnitude: Float = 1
    var norm = Op.Norm.Kind.rms
    var biases = false
    var headNorm = false
    var sinks = false
    var gated = true
    var activation = Op.Activation.silu
    var experts: (count: Int, used: Int)?
    /// Of the experts' ups, where it is another.
    var upFormat: Format?
    var routing = Op.Routing.softmaxNormalised
    /// All experts have the same logits.
    var tiedRouter = false
    var choiceBias = false
    var expertBiases = false
    var weightPerHead = false
    var growth: Op.Scale.Growth?
    var logitCap: Float?
    var embeddingScale: Float = 1
    var residualScale: Float = 1

    var description: String { "\(name) \(format)" }

    static func make(_ name: String, _ change: (inout ToyModel) -> Void = { _ in }) -> ToyModel {
        var model = ToyModel()
        model.name = name
        change(&model)
        return model
    }

    func weights() throws -> TestWeights {
        let w = TestWeights()
        try w.matrix("token_embd", format, [width, vocabulary])
        try w.matrix("output", format, [width, vocabulary])
        try norm(w, "output_norm", width)
        for layer in 0..<layers {
            let b = "blk.\(layer)"
            try norm(w, "\(b).attn_norm", width)
            try norm(w, "\(b).ffn_norm", width)
            try linear(w, "\(b).attn_q", width, heads * keyLength)
            try linear(w, "\(b).attn_k", width, kvHeads * keyLength)
            try linear(w, "\(b).attn_v", width, kvHeads * valueLength)
            try linear(w, "\(b).attn_output", heads * valueLength, width)
            if headNorm {
                try norm(w, "\(b).attn_q_norm", keyLength, heads: weightPerHead ? heads : nil)
                try norm(w, "\(b).attn_k_norm", keyLength, heads: weightPerHead ? kvHeads : nil)
            }
            if sinks { try w.vector("\(b).attn_sinks.weight", heads, around: 1) }
            if let experts {
                try w.matrix("\(b).ffn_gate_inp", format, [width, experts.count], gain: tiedRouter ? 0 : 1)
                if choiceBias { try w.vector("\(b).exp_probs_b.bias", experts.count, around: 0) }
                if expertBiases {
                    try w.vectors("\(b).ffn_gate_exps.bias", [hidden, experts.count])
                    try w.vectors("\(b).ffn_up_exps.bias", [hidden, experts.count])
                    try w.vectors("\(b).ffn_down_exps.bias", [width, experts.count])
                }
                try w.matrix("\(b).ffn_gate_exps", format, [width, hidden, experts.count])
                try w.matrix("\(b).ffn_up_exps", upFormat ?? format, [width, hidden, experts.count])
                try w.matrix("\(b).ffn_down_exps", format, [hidden, width, experts.count])
            } else {
                try linear(w, "\(b).ffn_gate", width, hidden)
                try linear(w, "\(b).ffn_up", width, hidden)
                try linear(w, "\(b).ffn_down", hidden, width)
            }
        }
        return w
    }

    func program(_ weights: TestWeights) throws -> Program {
        var g = ProgramBuilder(weights)
        let table = RopeTable(
            pairing: pairing,
            inverseFrequencies: (0..<rotated / 2).map { 1 / Double(1 + $0 * $0) },
            magnitude: magnitude)
        var x = g.embed("token_embd", vocabulary: vocabulary, width: width, scale: embeddingScale)
        for layer in 0..<layers {
            let b = "blk.\(layer)"
            var h = g.norm(x, "\(b).attn_norm", epsilon: 1e-5, kind: norm)
            var q = g.linear(h, "\(b).attn_q", outputs: heads * keyLength)
            var k = g.linear(h, "\(b).attn_k", outputs: kvHeads * keyLength)
            let v = g.linear(h, "\(b).attn_v", outputs: kvHeads * valueLength)
            if headNorm {
                q = g.norm(
                    q, "\(b).attn_q_norm", epsilon: 1e-6, kind: norm, groups: heads, weightPerGroup: weightPerHead)
                k = g.norm(
                    k, "\(b).attn_k_norm", epsilon: 1e-6, kind: norm, groups: kvHeads, weightPerGroup: weightPerHead)
            }
            if let growth { q = g.scale(q, 0.9, growth: growth) }
            g.store(key: g.rope(k, heads: kvHeads, table: table), value: v, layer: layer)
            h = g.attention(
                g.rope(q, heads: heads, table: table), layer: layer, heads: heads, valueLength: valueLength,
                scale: 1 / Float(keyLength).squareRoot(), softcap: softcap, sinks: sinks ? "\(b).attn_sinks" : nil)
            h = g.linear(h, "\(b).attn_output", outputs: width)
            if residualScale != 1 { h = g.scale(h, residualScale) }
            x = g.add(x, h)
            x = g.add(x, mlp(&g, g.norm(x, "\(b).ffn_norm", epsilon: 1e-5, kind: norm), b))
        }
        x = g.norm(g.outputRows(x), "output_norm", epsilon: 1e-5, kind: norm)
        var logits = g.linear(x, "output", outputs: vocabulary)
        if let logitCap { logits = g.softcap(logits, logitCap) }
        return try g.finish(logits: logits, cache: cache)
    }

    var cache: CacheLayout {
        CacheLayout(
            layers: (0..<layers).map {
                .init(
                    kvHeads: kvHeads, keyLength: keyLength, valueLength: valueLength,
                    window: firstSeesAll && $0 == 0 ? nil : window)
            })
    }

    private func mlp(_ g: inout ProgramBuilder, _ h: Value, _ b: String) -> Value {
        if let experts {
            return g.moe(
                h, router: g.linear(h, "\(b).ffn_gate_inp", outputs: experts.count), gate: "\(b).ffn_gate_exps",
                up: "\(b).ffn_up_exps", down: "\(b).ffn_down_exps", experts: experts.count, used: experts.used,
                hidden: hidden, routing: routing, choiceBias: choiceBias ? "\(b).exp_probs_b.bias" : nil,
                activation: activation)
        }
        let up = g.linear(h, "\(b).ffn_up", outputs: hidden)
        let middle =
            gated
            ? g.gate(g.linear(h, "\(b).ffn_gate", outputs: hidden), up, activation) : g.activate(up, activation)
        return g.linear(middle, "\(b).ffn_down", outputs: width)
    }

    private func norm(_ w: TestWeights, _ name: String, _ count: Int, heads: Int? = nil) throws {
        if let heads {
            try w.vectors(name + ".weight", [count, heads], around: 1)
        } else {
            try w.vector(name + ".weight", count, around: 1)
        }
        if norm == .layer { try w.vector(name + ".bias", count, around: 0) }
    }

    private func linear(_ w: TestWeights, _ name: String, _ inputs: Int, _ outputs: Int) throws {
        try w.matrix(name, format, [inputs, outputs])
        if biases { try w.vector(name + ".bias", outputs, around: 0) }
    }
}
