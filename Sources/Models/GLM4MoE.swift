internal import Compute
internal import Tokenizer

/// GLM 4.5 to 4.7: grouped queries with rope on half of each head, the first layers dense, then many small experts beside shared ones.
struct GLM4MoE: Architecture {
    static let models: KeyValuePairs = ["glm4moe": "GLM-4.5, GLM-4.5-Air, GLM-4.6, GLM-4.7"]
    static let chat = GLM4.chat

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let mixture: Mixture
    /// Layers without experts, at the start.
    private let denseLayers: Int

    init(_ parameters: Hyperparameters) throws(ModelError) {
        guard try !parameters.integers("rope.dimension_sections").contains(where: { $0 != 0 }) else {
            throw parameters.invalid("rope.dimension_sections", "asks for the rope of images, which is not supported")
        }
        guard try parameters.int("expert_group_count") ?? 1 <= 1 else {
            throw parameters.invalid("expert_group_count", "asks for groups of experts, which are not supported here")
        }
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        denseLayers = try parameters.int("leading_dense_block_count") ?? 0
        let hidden = try parameters.count("expert_feed_forward_length")
        var mixture = try Mixture(
            required: parameters, hidden: hidden,
            routing: Op.Routing(.sigmoid, normalised: try parameters.bool("expert_weights_norm") ?? true))
        let shared = try parameters.int("expert_shared_count") ?? 0
        guard (0...64).contains(shared) else { throw parameters.invalid("expert_shared_count", "is \(shared)") }
        if shared > 0 { mixture.shared = GatedMLP(hidden: hidden * shared, suffix: "_shexp") }
        self.mixture = mixture
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            // The large models have such norms, the Air ones do not; no key says so.
            if g.hasTensor("\(block).attn_q_norm.weight") { attention.queryKeyNorm = .heads(norm) }
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let h = norm(&g, x, "\(block).post_attention_norm")
            let mlp = GatedMLP(hidden: shape.hidden[layer])
            x = g.add(x, layer < denseLayers ? mlp(&g, h, block) : mixture(&g, h, block))
        }
        return g.logits(x, norm, shape)
    }
}
