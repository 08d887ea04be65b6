internal import Compute
internal import Tokenizer

/// Qwen 2 and 2.5: a Llama with biases on query, key and value.
struct Qwen2: Architecture {
    static let models: KeyValuePairs = ["qwen2": "Qwen 2, 2.5, QwQ; DeepSeek-R1-Distill-Qwen"]
    static let chat = ChatMarks(turnEnds: ["<|im_end|>"], otherEnds: ["<|endoftext|>"])

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
