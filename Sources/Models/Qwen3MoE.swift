internal import Compute
internal import Tokenizer

/// Qwen 3 mixtures: the attention of Qwen 3, many small experts whose weights are normalised.
struct Qwen3MoE: Architecture {
    static let models: KeyValuePairs = ["qwen3moe": "Qwen3-30B-A3B, 235B-A22B, Qwen3-Coder"]
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
        mixture = try Mixture(required: parameters, hidden: hidden, routing: .softmaxNormalised)
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            attention.queryKeyNorm = .heads(norm)
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            x = g.add(x, mixture(&g, norm(&g, x, "\(block).ffn_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
