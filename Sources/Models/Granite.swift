internal import Compute
internal import Tokenizer

/// Granite 3 and 4, dense or a mixture: a Llama with factors on embeddings, scores, residuals and logits.
struct Granite: Architecture {
    static let models: KeyValuePairs = [
        "granite": "Granite 3.x, 4 (dense)",
        "granitemoe": "Granite 3.x MoE, with and without shared expert",
    ]
    static let chat = ChatMarks(otherEnds: ["<|end_of_text|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let attentionScale: Float
    private let embeddingScale: Float
    private let residualScale: Float
    /// Logits are divided by it.
    private let logitScale: Float
    /// `nil` for a dense MLP.
    private let mixture: Mixture?

    init(_ parameters: Hyperparameters) throws(ModelError) {
        guard try !parameters.hasVisionInputs() else {
            throw parameters.invalid("deepstack_mapping", "asks for the vision inputs, which are not supported")
        }
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        attentionScale = try parameters.attentionScale() ?? shape.attentionScale
        embeddingScale = try parameters.scale("embedding_scale") ?? 1
        residualScale = try parameters.scale("residual_scale") ?? 1
        logitScale = try parameters.scale("logit_scale") ?? 1
        var mixture = try Mixture(parameters, hidden: shape.hidden[0], routing: .softmaxNormalised)
        if let hidden = try parameters.optionalCount("expert_shared_feed_forward_length") {
            mixture?.shared = GatedMLP(hidden: hidden, suffix: "_shexp")
        }
        self.mixture = mixture
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape, scale: embeddingScale)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            attention.scale = attentionScale
            x = add(&g, x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let h = norm(&g, x, "\(block).ffn_norm")
            x = add(&g, x, mixture?(&g, h, block) ?? GatedMLP(hidden: shape.hidden[layer])(&g, h, block))
        }
        return g.scale(g.logits(x, norm, shape), 1 / logitScale)
    }

    private func add(_ g: inout ProgramBuilder, _ x: Value, _ y: Value) -> Value {
        g.add(x, residualScale == 1 ? y : g.scale(y, residualScale))
    }
}

extension Hyperparameters {
    /// A factor; zero stands for none.
    fileprivate func scale(_ key: String) throws(ModelError) -> Float? {
        guard let scale = try float(key), scale != 0 else { return nil }
        return Float(scale)
    }

    /// Whether some layer takes a stream of a vision projector.
    fileprivate func hasVisionInputs() throws(ModelError) -> Bool {
        guard has("deepstack_mapping") else { return false }
        return try integers("deepstack_mapping").contains { $0 >= 0 }
    }
}
