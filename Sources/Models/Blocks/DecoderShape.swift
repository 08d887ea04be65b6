internal import Compute

/// The sizes that decoders state under the same keys.
struct DecoderShape {
    /// Far beyond any model: bounds what a hostile file can make the program allocate before its tensors are checked.
    private static let longestHead = 2048

    let vocabulary: Int
    /// Length of the residual stream.
    let width: Int
    let layerCount: Int
    /// Attention heads, heads of keys and values, and hidden units of the MLP, by layer.
    let heads: [Int]
    let kvHeads: [Int]
    let hidden: [Int]
    /// Dimensions of one head.
    let keyLength: Int
    let valueLength: Int
    let trainedContext: Int

    init(_ parameters: Hyperparameters) throws(ModelError) {
        vocabulary = try parameters.vocabularySize()
        width = try parameters.count("embedding_length")
        trainedContext = try parameters.count("context_length")
        layerCount = try parameters.layerCount()
        heads = try parameters.counts("attention.head_count", layers: layerCount)
        kvHeads = try parameters.optionalCounts("attention.head_count_kv", layers: layerCount) ?? heads
        hidden = try parameters.counts("feed_forward_length", layers: layerCount)
        for (heads, kvHeads) in zip(heads, kvHeads) where !heads.isMultiple(of: kvHeads) {
            throw parameters.invalid("attention.head_count_kv", "is \(kvHeads), no divisor of \(heads) heads")
        }
        let headLength = width / heads[0]
        keyLength = try parameters.optionalCount("attention.key_length") ?? headLength
        valueLength = try parameters.optionalCount("attention.value_length") ?? headLength
        guard keyLength > 0, valueLength > 0 else {
            throw parameters.invalid("attention.head_count", "is \(heads[0]) for a width of \(width)")
        }
        guard keyLength <= Self.longestHead, valueLength <= Self.longestHead else {
            throw parameters.invalid("attention.key_length", "is \(max(keyLength, valueLength)), out of range")
        }
    }

    /// The usual scale of attention scores.
    var attentionScale: Float { Float(1 / Double(keyLength).squareRoot()) }

    /// The scale that some models use instead.
    var scaleByWidthPerHead: Float { Float(1 / Double(width / heads[0]).squareRoot()) }

    /// A cache of keys and values of every KV head.
    /// - Parameter windows: By layer; `nil` where a layer sees everything.
    func cache(windows: [Int?]) -> CacheLayout {
        CacheLayout(
            layers: (0..<layerCount).map {
                .init(kvHeads: kvHeads[$0], keyLength: keyLength, valueLength: valueLength, window: windows[$0])
            })
    }
}
