internal import Compute
internal import Tokenizer

/// gpt-oss: attention with sinks, a window in every other layer, experts with biases and clamped gates, YaRN.
struct GPTOSS: Architecture {
    static let models: KeyValuePairs = ["gpt-oss": "gpt-oss 20B, 120B"]
    /// The harmony format: an answer is made of messages, and only the last of them ends it.
    static let chat = ChatMarks(
        otherEnds: ["<|return|>", "<|call|>"],
        exceptions: [.init("<|end|>", besides: [["<|return|>"], ["<|call|>"]], becomes: .userDefined)],
        visible: ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]
    private let mixture: Mixture

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(
            parameters, headLength: shape.keyLength, contextLength: shape.trainedContext, yarnRounds: false)
        _ = try parameters.count("attention.sliding_window")
        windows = try parameters.windows(layers: shape.layerCount, period: 2)
        let hidden = try parameters.optionalCount("expert_feed_forward_length") ?? shape.hidden[0]
        // The softmax over the chosen only is the softmax over all, normalised.
        var mixture = try Mixture(required: parameters, hidden: hidden, routing: .softmaxNormalised)
        mixture.activation = .clampedSwish
        self.mixture = mixture
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            attention.hasSinks = true
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            // The name is that of a norm behind attention, the place is before the experts.
            x = g.add(x, mixture(&g, norm(&g, x, "\(block).post_attention_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
