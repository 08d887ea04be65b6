internal import Compute
internal import Tokenizer

/// Command R, Command R+ and Aya 23: attention and MLP side by side on one LayerNorm without bias.
struct CommandR: Architecture {
    static let models: KeyValuePairs = ["command-r": "Command R, R+, Aya 23"]
    static let chat = ChatMarks(turnEnds: ["<|END_OF_TURN_TOKEN|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let logitScale: Float

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .layer(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        logitScale = Float(try parameters.float("logit_scale") ?? 1)
    }

    var cache: CacheLayout { shape.cache(windows: Array(repeating: nil, count: shape.layerCount)) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let table = rope.table(&g, .interleaved)
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: table)
            // Command R+ normalises queries and keys.
            if g.has("\(block).attn_q_norm") { attention.queryKeyNorm = .ownHeads(norm) }
            let h = norm(&g, x, "\(block).attn_norm")
            let mixed = g.add(x, attention(&g, h, block, layer: layer))
            x = g.add(mixed, GatedMLP(hidden: shape.hidden[layer])(&g, h, block))
        }
        return g.scale(g.logits(x, norm, shape), logitScale)
    }
}
