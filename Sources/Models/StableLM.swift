internal import Compute
internal import Tokenizer

/// StableLM 1 and 2: LayerNorm, rope on a quarter of each head. The 12B model has attention and MLP side by side and normalises
/// queries and keys, each head with weights of its own.
struct StableLM: Architecture {
    static let models: KeyValuePairs = ["stablelm": "StableLM 1, 2"]
    static let chat = ChatMarks(turnEnds: ["<|im_end|>"], otherEnds: ["<|endoftext|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .layer(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .halves)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            if g.has("\(block).attn_q_norm") { attention.queryKeyNorm = .ownHeads(norm) }
            let h = norm(&g, x, "\(block).attn_norm")
            let mixed = g.add(x, attention(&g, h, block, layer: layer))
            // A block without a norm before its MLP has both side by side.
            let input = g.has("\(block).ffn_norm") ? norm(&g, mixed, "\(block).ffn_norm") : h
            x = g.add(mixed, GatedMLP(hidden: shape.hidden[layer])(&g, input, block))
        }
        return g.logits(x, norm, shape)
    }
}
