internal import Compute
internal import Tokenizer

/// Qwen 3: queries and keys are normalised head by head.
struct Qwen3: Architecture {
    static let models: KeyValuePairs = ["qwen3": "Qwen 3"]
    static let chat = Qwen2.chat

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
            var attention = Attention(shape, layer: layer, rope: table)
            attention.queryKeyNorm = .heads(norm)
            x = g.add(x, attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer))
            let mlp = GatedMLP(hidden: shape.hidden[layer])
            x = g.add(x, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block))
        }
        return g.logits(x, norm, shape)
    }
}
