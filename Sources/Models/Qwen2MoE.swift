internal import Compute
internal import Tokenizer

/// Qwen 1.5 and 2 mixtures: many small experts, weighed as the softmax says, beside a shared one with a gate of its own.
struct Qwen2MoE: Architecture {
    static let models: KeyValuePairs = ["qwen2moe": "Qwen 1.5-MoE, Qwen2-57B-A14B"]
    static let chat = Qwen2.chat

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let mixture: Mixture

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        let used = try parameters.count("expert_used_count")
        let hidden = try parameters.optionalCount("expert_feed_forward_length") ?? shape.hidden[0] / used
        var mixture = try Mixture(required: parameters, hidden: hidden, routing: .softmax)
        mixture.shared = GatedMLP(
            hidden: try parameters.optionalCount("expert_shared_feed_forward_length") ?? shape.hidden[0],
            suffix: "_shexp")
        mixture.gatesShared = true
        self.mixture = mixture
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            let attention = Attention(shape, layer: layer, rope: table)
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            x = g.add(x, mixture(&g, norm(&g, x, "\(block).ffn_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
