internal import Compute

/// Multi-head latent attention (arXiv:2405.04434): keys and values of all heads come from one short vector per token, and a part of
/// the key with rope is common to all heads.
///
/// Files of today hold the two halves of the projection from that vector apart (`attn_k_b`, `attn_v_b`). Then the cache keeps the vector
/// itself, queries are taken into its space, and so is the result taken out of it. Older files (`attn_kv_b`) are computed as written:
/// keys and values of every head, kept in full.
struct LatentAttention {
    let heads: Int
    /// Dimensions of queries: `nil` for a direct projection.
    let queryRank: Int?
    /// Dimensions of the vector that keys and values come from.
    let rank: Int
    /// Dimensions of a head's key without and with rope, and of its value.
    let plainLength: Int
    let ropeLength: Int
    let valueLength: Int
    let norm: Norm
    let scale: Float
    let rope: RopeTable

    /// What a layer keeps.
    static func cache(
        compressed: Bool, heads: Int, rank: Int, plainLength: Int, ropeLength: Int, valueLength: Int
    ) -> CacheLayout.Layer {
        compressed
            ? .init(kvHeads: 1, keyLength: rank + ropeLength, valueLength: rank)
            : .init(kvHeads: heads, keyLength: plainLength + ropeLength, valueLength: valueLength)
    }

    func callAsFunction(
        _ g: inout ProgramBuilder, _ h: Value, _ block: String, layer: Int, compressed: Bool
    ) -> Value {
        let width = g.width(h)
        let q = query(&g, h, block)
        let latentName = "\(block).attn_kv_a_mqa"
        let latent = g.linear(h, latentName, rows: 0..<rank, of: rank + ropeLength)
        let common = g.linear(h, latentName, rows: rank..<rank + ropeLength, of: rank + ropeLength)
        let vector = norm(&g, latent, "\(block).attn_kv_a_norm")
        let turned = g.rope(common, heads: 1, table: rope)
        let mixed =
            compressed
            ? attendVectors(&g, q, vector, turned, block, layer) : attendHeads(&g, q, vector, turned, block, layer)
        return g.linear(mixed, "\(block).attn_output", outputs: width)
    }

    /// `heads` times the plain part, then the part with rope.
    private func query(_ g: inout ProgramBuilder, _ h: Value, _ block: String) -> Value {
        let outputs = heads * (plainLength + ropeLength)
        let q: Value
        if let queryRank {
            let low = g.linear(h, "\(block).attn_q_a", outputs: queryRank)
            q = g.linear(norm(&g, low, "\(block).attn_q_a_norm"), "\(block).attn_q_b", outputs: outputs)
        } else {
            q = g.linear(h, "\(block).attn_q", outputs: outputs)
        }
        return g.rope(q, heads: heads, table: rope, offset: plainLength)
    }

    private func attendVectors(
        _ g: inout ProgramBuilder, _ q: Value, _ vector: Value, _ turned: Value, _ block: String, _ layer: Int
    ) -> Value {
        let key = g.join(
            [.init(vector, heads: 1, 0..<rank), .init(turned, heads: 1, 0..<ropeLength)], heads: 1)
        g.store(key: key, value: vector, layer: layer)
        let plain = g.join([.init(q, heads: heads, 0..<plainLength)], heads: heads)
        let inside = g.headLinear(plain, "\(block).attn_k_b", heads: heads, outputs: rank)
        let length = plainLength + ropeLength
        let query = g.join(
            [.init(inside, heads: heads, 0..<rank), .init(q, heads: heads, plainLength..<length)], heads: heads)
        let mixed = g.attention(query, layer: layer, heads: heads, valueLength: rank, scale: scale)
        return g.headLinear(mixed, "\(block).attn_v_b", heads: heads, outputs: valueLength)
    }

    private func attendHeads(
        _ g: inout ProgramBuilder, _ q: Value, _ vector: Value, _ turned: Value, _ block: String, _ layer: Int
    ) -> Value {
        let length = plainLength + valueLength
        let both = g.linear(vector, "\(block).attn_kv_b", outputs: heads * length)
        let key = g.join(
            [.init(both, heads: heads, 0..<plainLength), .init(turned, heads: 1, 0..<ropeLength)], heads: heads)
        let value = g.join([.init(both, heads: heads, plainLength..<length)], heads: heads)
        g.store(key: key, value: value, layer: layer)
        return g.attention(q, layer: layer, heads: heads, valueLength: valueLength, scale: scale)
    }
}
