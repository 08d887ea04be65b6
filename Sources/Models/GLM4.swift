internal import Compute
internal import Tokenizer

/// GLM 4 (0414): norms before and after attention and MLP, rope on half of each head.
struct GLM4: Architecture {
    static let models: KeyValuePairs = ["glm4": "GLM-4 and GLM-Z1 (0414)"]
    static let chat = ChatMarks(otherEnds: ["<|observation|>", "<|endoftext|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling

    init(_ parameters: Hyperparameters) throws(ModelError) {
        guard try !parameters.integers("rope.dimension_sections").contains(where: { $0 != 0 }) else {
            throw parameters.invalid("rope.dimension_sections", "asks for the rope of images, which is not supported")
        }
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
            let attention = Attention(shape, layer: layer, rope: table)
            let mixed = attention(&g, norm(&g, x, "\(block).attn_norm"), block, layer: layer)
            x = g.add(x, norm(&g, mixed, "\(block).post_attention_norm"))
            let mlp = GatedMLP(hidden: shape.hidden[layer])
            x = g.add(x, norm(&g, mlp(&g, norm(&g, x, "\(block).ffn_norm"), block), "\(block).post_ffw_norm"))
        }
        return g.logits(x, norm, shape)
    }
}
