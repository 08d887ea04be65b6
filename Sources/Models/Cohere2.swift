internal import Compute
internal import Tokenizer

/// Command R7B and Command A: as Command R, but three of four layers have a window, and only these have rope.
struct Cohere2: Architecture {
    static let models: KeyValuePairs = ["cohere2": "Command R7B, Command A"]
    static let chat = CommandR.chat

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]
    private let logitScale: Float

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .layer(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        _ = try parameters.count("attention.sliding_window")
        windows = try parameters.windows(layers: shape.layerCount, period: 4)
        logitScale = Float(try parameters.requiredFloat("logit_scale"))
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            let attention = Attention(shape, layer: layer, rope: windows[layer] == nil ? nil : table)
            let h = norm(&g, x, "\(block).attn_norm")
            let mixed = g.add(x, attention(&g, h, block, layer: layer))
            x = g.add(mixed, GatedMLP(hidden: shape.hidden[layer])(&g, h, block))
        }
        return g.scale(g.logits(x, norm, shape), logitScale)
    }
}
