internal import Compute
internal import Tokenizer

/// Ministral 3 and Mistral 3: a Llama whose queries grow with the logarithm of their position beyond the original context.
struct Mistral3: Architecture {
    static let models: KeyValuePairs = ["mistral3": "Ministral 3, Mistral 3"]
    static let chat = ChatMarks(otherEnds: ["</s>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]
    private let attentionScale: Float
    private let growth: Op.Scale.Growth?
    /// `nil` for a dense MLP.
    private let mixture: Mixture?

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        windows = try parameters.windows(layers: shape.layerCount, period: 1)
        attentionScale = try parameters.attentionScale() ?? shape.attentionScale
        let slope = try parameters.float("attention.temperature_scale") ?? 0
        growth = slope == 0 ? nil : .init(slope: slope, interval: Double(rope.originalContext), shift: 0)
        var mixture = try Mixture(parameters, hidden: shape.hidden[0], routing: .softmaxNormalised)
        if let hidden = try parameters.optionalCount("expert_shared_feed_forward_length") {
            mixture?.shared = GatedMLP(hidden: hidden, suffix: "_shexp")
        }
        self.mixture = mixture
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            attention.scale = attentionScale
            attention.growth = growth
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let h = norm(&g, x, "\(block).ffn_norm")
            x = g.add(x, mixture?(&g, h, block) ?? GatedMLP(hidden: shape.hidden[layer])(&g, h, block))
        }
        return g.logits(x, norm, shape)
    }
}
