internal import Compute
internal import Tokenizer

/// SmolLM 3: a Llama that gives no positions to every fourth layer.
struct SmolLM3: Architecture {
    static let models: KeyValuePairs = ["smollm3": "SmolLM 3"]
    static let chat = ChatMarks(turnEnds: ["<|im_end|>"], otherEnds: ["<|end_of_text|>"])
    /// The last of so many layers has no rope.
    private static let period = 4

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            let hasRope = (layer + 1) % Self.period != 0
            let attention = Attention(shape, layer: layer, rope: hasRope ? table : nil)
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let mlp = GatedMLP(hidden: shape.hidden[layer])
            x = g.add(x, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
