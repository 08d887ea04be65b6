internal import Compute
internal import Tokenizer

/// StarCoder 2: LayerNorm, biases everywhere, an MLP without a gate.
struct StarCoder2: Architecture {
    static let models: KeyValuePairs = ["starcoder2": "StarCoder 2"]
    static let chat = ChatMarks(otherEnds: ["<|endoftext|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .layer(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        windows = try parameters.windows(layers: shape.layerCount, period: 1)
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            let attention = Attention(shape, layer: layer, rope: table)
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let mlp = PlainMLP(hidden: shape.hidden[layer], activation: .geluTanh)
            x = g.add(x, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
