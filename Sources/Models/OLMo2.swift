internal import Compute
internal import Tokenizer

/// OLMo 2 and 3: norms only behind attention and MLP, queries and keys normalised as whole rows. OLMo 3 has windows in three of four
/// layers, whose rope is never scaled.
struct OLMo2: Architecture {
    static let models: KeyValuePairs = ["olmo2": "OLMo 2, OLMo 3"]
    static let chat = ChatMarks(otherEnds: ["<|endoftext|>"])

    private let shape: DecoderShape
    private let norm: Norm
    private let rope: RopeScaling
    private let windows: [Int?]

    init(_ parameters: Hyperparameters) throws(ModelError) {
        shape = try DecoderShape(parameters)
        norm = try .rms(parameters)
        rope = try RopeScaling(parameters, headLength: shape.keyLength, contextLength: shape.trainedContext)
        windows = try parameters.windows(layers: shape.layerCount, period: 4)
    }

    var cache: CacheLayout { shape.cache(windows: windows) }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let (wide, narrow) = (rope.table(&g, .halves), rope.unscaledTable(.halves))
        var x = g.tokens(shape)
        for layer in 0..<shape.layerCount {
            let block = "blk.\(layer)"
            var attention = Attention(shape, layer: layer, rope: windows[layer] == nil ? wide : narrow)
            attention.queryKeyNorm = .row(norm)
            let mixed = attention(&g, x, block, layer: layer)
            x = g.add(x, norm(&g, mixed, "\(block).post_attention_norm"))
            let mlp = GatedMLP(hidden: shape.hidden[layer])
            x = g.add(x, norm(&g, mlp(&g, x, block), "\(block).post_ffw_norm"))
        }
        return g.logits(x, norm, shape)
    }
}
