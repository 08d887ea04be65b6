internal import Compute
internal import Tokenizer

/// Llama 4, its text model: three of four layers see their own chunk of positions through rope, the fourth sees everything without
/// rope, with queries that grow with the logarithm of their position; experts whose weight multiplies their input.
struct Llama4: Architecture {
    static let models: KeyValuePairs = ["llama4": "Llama 4 Scout, Maverick (text)"]
    static let chat = ChatMarks(turnEnds: ["<|eot|>"], otherEnds: ["<|eom|>", "<|end_of_text|>"])
    /// The last of so many layers has neither chunks nor rope.
    private static let period = 4

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let chunk: Int
    private let growth: Op.Scale.Growth
    private let mixture: Mixture
    /// The last of so many layers has experts.
    private let mixturePeriod: Int

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        // Zero stands for models without chunks, which also differ elsewhere.
        chunk = try parameters.optionalCount("attention.sliding_window") ?? 8192
        growth = .init(
            slope: try parameters.float("attention.temperature_scale") ?? 0.1,
            interval: Double(try parameters.optionalCount("attention.temperature_length") ?? 8192), shift: 1)
        let hidden = try parameters.count("expert_feed_forward_length")
        mixturePeriod = try parameters.count("interleave_moe_layer_step")
        var mixture = try Mixture(
            required: parameters, hidden: hidden,
            routing: Op.Routing(.sigmoid, normalised: false, weighsInput: true))
        mixture.shared = GatedMLP(hidden: hidden, suffix: "_shexp")
        self.mixture = mixture
    }

    var cache: CacheLayout {
        CacheLayout(
            layers: (0..<shape.layerCount).map {
                .init(
                    kvHeads: shape.kvHeads[$0], keyLength: shape.keyLength, valueLength: shape.valueLength,
                    chunk: isLocal($0) ? chunk : nil)
            })
    }

    private func isLocal(_ layer: Int) -> Bool { (layer + 1) % Self.period != 0 }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: isLocal(layer) ? table : nil)
            if !isLocal(layer) { attention.growth = growth }
            // Of the released models only that with 128 experts has no such norm; files do not say.
            if isLocal(layer), mixture.experts != 128 { attention.queryKeyNorm = .afterRope(norm) }
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let h = norm(&g, x, "\(block).ffn_norm")
            let hasExperts = (layer + 1) % mixturePeriod == 0
            x = g.add(x, hasExperts ? mixture(&g, h, block) : GatedMLP(hidden: shape.hidden[layer])(&g, h, block))
        }
        return g.logits(x, norm, shape)
    }
}
