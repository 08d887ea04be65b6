internal import Compute
internal import Tokenizer

/// Gemma 3, its text model: five layers with a window and a rope of their own, then one that sees everything.
struct Gemma3: Architecture {
    static let models: KeyValuePairs = ["gemma3": "Gemma 3 (text)"]
    static let chat = Gemma2.chat

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    /// Base of the rope in layers with a window, which is never scaled.
    private let windowBase: Double
    private let windows: [Int?]
    private let attentionScale: Float
    private let logitCap: Float?

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(
            parameters, headLength: shape.keyLength, contextLength: shape.trainedContext, defaultBase: 1_000_000)
        windowBase = try parameters.float("rope.freq_base_swa") ?? 10_000
        guard windowBase > 0 else { throw parameters.invalid("rope.freq_base_swa", "is \(windowBase)") }
        windows = try parameters.windows(layers: shape.layerCount, period: 6)
        // The 27B model (62 layers) scales by the width per head, the others by the length of a head; files do not say which.
        attentionScale =
            try parameters.attentionScale()
            ?? (shape.layerCount == 62 ? shape.scaleByWidthPerHead : shape.attentionScale)
        logitCap = try parameters.cap("final_logit_softcapping")
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let (wide, narrow) = (rope.table(&g, .halves), rope.unscaledTable(.halves, base: windowBase))
        var x = g.tokens(shape, scale: Float(shape.width).squareRoot())
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: windows[layer] == nil ? wide : narrow)
            attention.scale = attentionScale
            attention.queryKeyNorm = .heads(norm)
            let mixed = attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer)
            x = g.add(x, norm(&g, mixed, "\(block).post_attention_norm"))
            let mlp = GatedMLP(hidden: shape.hidden[layer], activation: .geluTanh)
            x = g.add(x, norm(&g, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block), "\(block).post_ffw_norm"))
        }
        let logits = g.logits(x, norm, shape)
        return logitCap.map { g.softcap(logits, $0) } ?? logits
    }
}
