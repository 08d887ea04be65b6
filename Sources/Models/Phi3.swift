internal import Compute
internal import Tokenizer

/// Phi 3, 3.5 and 4: query, key and value in one tensor, gate and up in another, longrope for long contexts.
struct Phi3: Architecture {
    static let models: KeyValuePairs = ["phi3": "Phi 3, 3.5, 4, 4-mini"]
    static let chat = ChatMarks(turnEnds: ["<|end|>"], otherEnds: ["<|endoftext|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
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
            let mlp = GatedMLP(hidden: shape.hidden[layer])
            x = g.add(x, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
