internal import Compute
internal import Tokenizer

/// Llama 1–3.x and what shares its graph: Mistral, Mixtral, SmolLM, Yi, TinyLlama …
struct Llama: Architecture {
    static let models: KeyValuePairs = ["llama": "Llama 1–3.x, Mistral, Mixtral, SmolLM 1–2, Yi, TinyLlama"]
    static let chat = ChatMarks(turnEnds: ["<|eot_id|>"], otherEnds: ["</s>", "<|eom_id|>", "<|end_of_text|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]
    private let attentionScale: Float
    /// `nil` for a dense MLP.
    private let mixture: Mixture?

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        windows = try parameters.windows(layers: shape.layerCount, period: 1)
        attentionScale = try parameters.attentionScale() ?? shape.attentionScale
        mixture = try Mixture(parameters, hidden: shape.hidden[0], routing: .softmaxNormalised)
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            attention.scale = attentionScale
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let h = norm(&g, x, "\(block).ffn_norm")
            x = g.add(x, mixture?(&g, h, block) ?? GatedMLP(hidden: shape.hidden[layer])(&g, h, block))
        }
        return g.logits(x, norm, shape)
    }
}
