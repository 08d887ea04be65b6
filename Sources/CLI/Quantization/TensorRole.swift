/// What a matrix does in the model, by its name: the mixes give some roles more bits than others.
enum TensorRole {
    case output
    case tokenEmbedding
    /// `attn_v` and the fused matrices that hold it.
    case attentionValue
    case attentionKey
    case attentionOutput
    case feedForwardDown
    case other

    init(name: String) {
        self = Self.parts.first { name.contains($0.part) }?.role ?? (Self.whole[name] ?? .other)
    }

    private static let whole: [String: TensorRole] = [
        "output.weight": .output, "token_embd.weight": .tokenEmbedding,
    ]

    private static let parts: [(part: String, role: TensorRole)] = [
        ("attn_qkv.weight", .attentionValue), ("attn_kv_b.weight", .attentionValue), ("attn_v.weight", .attentionValue),
        ("attn_k.weight", .attentionKey), ("attn_output.weight", .attentionOutput), ("ffn_down", .feedForwardDown),
    ]
}

/// The number in `blk.<number>.`.
func layer(ofTensor name: String) -> Int? {
    let parts = name.split(separator: ".", maxSplits: 2)
    return parts.count == 3 && parts[0] == "blk" ? Int(parts[1]) : nil
}
