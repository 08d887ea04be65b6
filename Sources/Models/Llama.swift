internal import Compute

/// Llama 1–3.x and what shares its graph: Mistral, Mixtral, SmolLM, Yi, TinyLlama …
struct Llama: Architecture {
    static let names = ["llama"]
    /// Far beyond any model: bounds what a hostile file can make the program allocate before its tensors are checked.
    private static let longestHead = 2048
    private static let mostExperts = 1024

    private struct Layer {
        let heads: Int
        let kvHeads: Int
        let hidden: Int
    }

    private let vocabulary: Int
    private let width: Int
    private let layers: [Layer]
    private let keyLength: Int
    private let valueLength: Int
    private let window: Int?
    private let epsilon: Float
    private let attentionScale: Float
    private let rope: RopeScaling
    /// Experts in each layer and how many of them a token uses; `nil` for a dense MLP.
    private let experts: (count: Int, used: Int)?

    init(_ parameters: Hyperparameters) throws(ModelError) {
        vocabulary = try parameters.vocabularySize()
        width = try parameters.count("embedding_length")
        let layerCount = try parameters.count("block_count")
        let heads = try parameters.counts("attention.head_count", layers: layerCount)
        let kvHeads = try parameters.optionalCounts("attention.head_count_kv", layers: layerCount) ?? heads
        let hidden = try parameters.counts("feed_forward_length", layers: layerCount)
        for (heads, kvHeads) in zip(heads, kvHeads) where !heads.isMultiple(of: kvHeads) {
            throw parameters.invalid("attention.head_count_kv", "is \(kvHeads), no divisor of \(heads) heads")
        }
        layers = (0..<layerCount).map { Layer(heads: heads[$0], kvHeads: kvHeads[$0], hidden: hidden[$0]) }

        let headLength = width / heads[0]
        keyLength = try parameters.optionalCount("attention.key_length") ?? headLength
        valueLength = try parameters.optionalCount("attention.value_length") ?? headLength
        guard keyLength > 0, valueLength > 0 else {
            throw parameters.invalid("attention.head_count", "is \(heads[0]) for a width of \(width)")
        }
        guard keyLength <= Self.longestHead, valueLength <= Self.longestHead else {
            throw parameters.invalid("attention.key_length", "is \(max(keyLength, valueLength)), out of range")
        }
        let window = try parameters.int("attention.sliding_window") ?? 0
        self.window = window > 0 ? window : nil
        guard let epsilon = try parameters.float("attention.layer_norm_rms_epsilon") else {
            throw parameters.invalid("attention.layer_norm_rms_epsilon", "is missing")
        }
        guard epsilon >= 0 else { throw parameters.invalid("attention.layer_norm_rms_epsilon", "is \(epsilon)") }
        self.epsilon = Float(epsilon)
        let scale = try parameters.float("attention.scale") ?? 0
        attentionScale = Float(scale > 0 ? scale : 1 / Double(keyLength).squareRoot())
        rope = try RopeScaling(
            parameters, headLength: keyLength, contextLength: try parameters.count("context_length"))

        let expertCount = try parameters.int("expert_count") ?? 0
        if expertCount > 0 {
            let used = try parameters.count("expert_used_count")
            guard expertCount <= Self.mostExperts else {
                throw parameters.invalid("expert_count", "is \(expertCount), out of range")
            }
            guard used <= expertCount else {
                throw parameters.invalid("expert_used_count", "is \(used) of \(expertCount) experts")
            }
            experts = (expertCount, used)
        } else {
            experts = nil
        }
    }

    var cache: CacheLayout {
        CacheLayout(
            layers: layers.map {
                .init(kvHeads: $0.kvHeads, keyLength: keyLength, valueLength: valueLength, window: window)
            })
    }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(.interleaved, factors: g.constants("rope_freqs", count: rope.dimensions / 2))
        var x = g.embed("token_embd", vocabulary: vocabulary, width: width)
        for (index, layer) in layers.enumerated() {
            x = block(&g, x, "blk.\(index)", index, layer, table)
        }
        x = g.outputRows(x)
        x = g.norm(x, "output_norm", epsilon: epsilon)
        return g.linear(x, g.has("output") ? "output" : "token_embd", outputs: vocabulary)
    }

    private func block(
        _ g: inout ProgramBuilder, _ x: Value, _ name: String, _ index: Int, _ layer: Layer, _ table: RopeTable
    ) -> Value {
        var h = g.norm(x, "\(name).attn_norm", epsilon: epsilon)
        let q = g.linear(h, "\(name).attn_q", outputs: layer.heads * keyLength)
        let k = g.linear(h, "\(name).attn_k", outputs: layer.kvHeads * keyLength)
        let v = g.linear(h, "\(name).attn_v", outputs: layer.kvHeads * valueLength)
        g.store(key: g.rope(k, heads: layer.kvHeads, table: table), value: v, layer: index)
        let query = g.rope(q, heads: layer.heads, table: table)
        h = g.attention(query, layer: index, heads: layer.heads, valueLength: valueLength, scale: attentionScale)
        let x = g.add(x, g.linear(h, "\(name).attn_output", outputs: width))

        h = g.norm(x, "\(name).ffn_norm", epsilon: epsilon)
        let mixed = experts.map { mixture(&g, h, name, layer, $0) } ?? mlp(&g, h, name, layer)
        return g.add(x, mixed)
    }

    private func mlp(_ g: inout ProgramBuilder, _ h: Value, _ name: String, _ layer: Layer) -> Value {
        let gate = g.linear(h, "\(name).ffn_gate", outputs: layer.hidden)
        let up = g.linear(h, "\(name).ffn_up", outputs: layer.hidden)
        return g.linear(g.gate(gate, up, .silu), "\(name).ffn_down", outputs: width)
    }

    private func mixture(
        _ g: inout ProgramBuilder, _ h: Value, _ name: String, _ layer: Layer, _ experts: (count: Int, used: Int)
    ) -> Value {
        g.moe(
            h, router: g.linear(h, "\(name).ffn_gate_inp", outputs: experts.count), gate: "\(name).ffn_gate_exps",
            up: "\(name).ffn_up_exps", down: "\(name).ffn_down_exps", experts: experts.count, used: experts.used,
            hidden: layer.hidden, routing: .softmaxNormalised, activation: .silu)
    }
}
