internal import Compute
internal import Tokenizer

/// Gemma 2: norms before and after attention and MLP, soft-caps on scores and logits, a window in every other layer.
struct Gemma2: Architecture {
    static let models: KeyValuePairs = ["gemma2": "Gemma 2"]
    static let chat = ChatMarks(turnEnds: ["<end_of_turn>"], otherEnds: ["<eos>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]
    private let attentionScale: Float
    private let scoreCap: Float
    private let logitCap: Float

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        windows = try parameters.windows(layers: shape.layerCount, window: 4096, period: 2)
        // The 27B model (46 layers) scales by the width per head, the others by the length of a head; files do not say which.
        attentionScale =
            try parameters.attentionScale()
            ?? (shape.layerCount == 46 ? shape.scaleByWidthPerHead : shape.attentionScale)
        scoreCap = try parameters.cap("attn_logit_softcapping") ?? 50
        logitCap = try parameters.cap("final_logit_softcapping") ?? 30
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape, scale: Float(shape.width).squareRoot())
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            attention.scale = attentionScale
            attention.softcap = scoreCap
            let mixed = attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer)
            x = g.add(x, norm(&g, mixed, "\(block).post_attention_norm"))
            let mlp = GatedMLP(hidden: shape.hidden[layer], activation: .geluTanh)
            x = g.add(x, norm(&g, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block), "\(block).post_ffw_norm"))
        }
        return g.softcap(g.logits(x, norm, shape), logitCap)
    }
}
