internal import Compute

/// Grouped-query attention of one layer, from its normalised input to the output projection.
///
/// Query, key and value are three tensors or, as files may have it for any architecture, one (`attn_qkv`).
struct Attention {
    /// Normalisation of queries and keys.
    enum QueryKeyNorm {
        /// Of each head, before rope; all heads share their weights.
        case heads(Norm)
        /// Of each head, before rope, with weights of its own.
        case ownHeads(Norm)
        /// Of the whole row, before rope.
        case row(Norm)
        /// Of each head, after rope, without weights.
        case afterRope(Norm)
    }

    let heads: Int
    let kvHeads: Int
    let keyLength: Int
    let valueLength: Int
    var scale: Float
    var softcap: Float?
    /// `nil` where the layer knows no positions.
    var rope: RopeTable?
    var queryKeyNorm: QueryKeyNorm?
    /// Growth of the queries with their position.
    var growth: Op.Scale.Growth?
    /// Whether the heads have sinks (`attn_sinks`).
    var hasSinks = false

    init(_ shape: DecoderShape, layer: Int, rope: RopeTable?) {
        heads = shape.heads[layer]
        kvHeads = shape.kvHeads[layer]
        keyLength = shape.keyLength
        valueLength = shape.valueLength
        scale = shape.attentionScale
        self.rope = rope
    }

    /// - Parameters:
    ///   - block: The layer's prefix of tensor names, `blk.0`.
    ///   - layer: The layer's place in the cache.
    func callAsFunction(_ g: inout ProgramBuilder, _ h: Value, _ block: String, layer: Int) -> Value {
        let width = g.width(h)
        var (q, k, v) = project(&g, h, block)
        q = position(&g, q, "\(block).attn_q_norm", heads: heads)
        k = position(&g, k, "\(block).attn_k_norm", heads: kvHeads)
        if let growth { q = g.scale(q, 1, growth: growth) }
        g.store(key: k, value: v, layer: layer)
        let mixed = g.attention(
            q, layer: layer, heads: heads, valueLength: valueLength, scale: scale, softcap: softcap,
            sinks: hasSinks ? "\(block).attn_sinks" : nil)
        return g.linear(mixed, "\(block).attn_output", outputs: width)
    }

    private func project(_ g: inout ProgramBuilder, _ h: Value, _ block: String) -> (Value, Value, Value) {
        let (q, k, v) = (heads * keyLength, kvHeads * keyLength, kvHeads * valueLength)
        let fused = "\(block).attn_qkv"
        guard g.has(fused) else {
            return (
                g.linear(h, "\(block).attn_q", outputs: q), g.linear(h, "\(block).attn_k", outputs: k),
                g.linear(h, "\(block).attn_v", outputs: v)
            )
        }
        let total = q + k + v
        return (
            g.linear(h, fused, rows: 0..<q, of: total), g.linear(h, fused, rows: q..<q + k, of: total),
            g.linear(h, fused, rows: q + k..<total, of: total)
        )
    }

    /// Normalisation and rope of queries or keys.
    private func position(_ g: inout ProgramBuilder, _ x: Value, _ name: String, heads: Int) -> Value {
        var x = x
        switch queryKeyNorm {
        case .heads(let norm): x = g.norm(x, name, epsilon: norm.epsilon, kind: norm.kind, groups: heads)
        case .ownHeads(let norm):
            x = g.norm(x, name, epsilon: norm.epsilon, kind: norm.kind, groups: heads, weightPerGroup: true)
        case .row(let norm): x = norm(&g, x, name)
        case .afterRope, nil: break
        }
        if let rope { x = g.rope(x, heads: heads, table: rope) }
        if case .afterRope(let norm) = queryKeyNorm {
            x = g.norm(x, nil, epsilon: norm.epsilon, kind: norm.kind, groups: heads)
        }
        return x
    }
}
