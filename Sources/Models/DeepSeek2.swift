internal import Compute
internal import Tokenizer

/// DeepSeek V2, V2.5, V3 and R1, Kimi K2 and what shares their graph: latent attention, many small experts beside shared ones.
struct DeepSeek2: Architecture {
    static let models: KeyValuePairs = ["deepseek2": "DeepSeek V2, V2.5, V3, R1; Kimi K2"]
    static let chat = ChatMarks(turnEnds: ["<|im_end|>", "[EOT]"], otherEnds: ["<｜end▁of▁sentence｜>", "[EOS]"])
    /// Far beyond any model.
    private static let longestHead = 2048

    private let vocabulary: Int
    private let width: Int
    private let layerCount: Int
    private let heads: Int
    private let hidden: Int
    private let norm: Norm
    private let rope: RopeScaling
    private let attentionScale: Float
    private let queryRank: Int?
    private let rank: Int
    private let plainLength: Int
    private let valueLength: Int
    /// Whether the cache keeps the latent vectors.
    private let isCompressed: Bool
    private let mixture: Mixture
    /// Layers without experts, at the start.
    private let denseLayers: Int

    init(_ parameters: Hyperparameters) throws(ModelError) {
        vocabulary = try parameters.vocabularySize()
        width = try parameters.count("embedding_length")
        layerCount = try parameters.layerCount()
        heads = try parameters.counts("attention.head_count", layers: layerCount)[0]
        hidden = try parameters.counts("feed_forward_length", layers: layerCount)[0]
        norm = try .rms(parameters)
        queryRank = try parameters.optionalCount("attention.q_lora_rank")
        rank = try parameters.count("attention.kv_lora_rank")
        isCompressed = parameters.has("attention.key_length_mla")
        let suffix = isCompressed ? "_mla" : ""
        let keyLength = try parameters.count("attention.key_length" + suffix)
        valueLength = try parameters.count("attention.value_length" + suffix)
        guard max(rank, keyLength, valueLength) <= Self.longestHead else {
            throw parameters.invalid("attention.key_length" + suffix, "or a rank or length beside it is out of range")
        }

        // Files hold a tenth of what the models call `mscale_all_dim`. Sine and cosine have no factor then, scores have its square.
        let spread = (try parameters.float("rope.scaling.yarn_log_multiplier") ?? 0) * 10
        rope = try RopeScaling(
            parameters, headLength: keyLength, contextLength: try parameters.count("context_length"),
            yarnMagnitude: spread == 0 ? nil : 1)
        plainLength = keyLength - rope.dimensions
        guard plainLength > 0 else {
            throw parameters.invalid("rope.dimension_count", "leaves nothing of heads of \(keyLength) dimensions")
        }
        let isStretched = try parameters.string("rope.scaling.type") == "yarn"
        let factor = try parameters.float("rope.scaling.factor") ?? 1
        let magnitude = isStretched ? YaRN.magnitude(factor, spread) : 1
        attentionScale = Float(magnitude * magnitude / Double(keyLength).squareRoot())

        denseLayers = try parameters.int("leading_dense_block_count") ?? 0
        mixture = try Self.mixture(parameters)
        guard try parameters.float("attention.temperature_scale") ?? 0 == 0 else {
            throw parameters.invalid("attention.temperature_scale", "asks for growing scores, which are not supported")
        }
    }

    private static func mixture(_ parameters: Hyperparameters) throws(ModelError) -> Mixture {
        let expertHidden = try parameters.count("expert_feed_forward_length")
        let score: Op.Routing.Score
        switch try parameters.int("expert_gating_func") ?? 1 {
        case 1: score = .softmax
        case 2: score = .sigmoid
        case let other:
            throw parameters.invalid("expert_gating_func", "is \(other), a gating that is not supported")
        }
        var mixture = try Mixture(
            required: parameters, hidden: expertHidden,
            routing: Op.Routing(score, normalised: try parameters.bool("expert_weights_norm") ?? false))
        let groups = try parameters.int("expert_group_count") ?? 1
        let usedGroups = try parameters.int("expert_group_used_count") ?? groups
        if groups > 1, usedGroups < groups {
            // V3 judges a group by its two best experts, V2 by its best.
            let best = score == .sigmoid ? 2 : 1
            let size = mixture.experts / groups
            guard mixture.experts.isMultiple(of: groups), usedGroups > 0, size >= best,
                mixture.used <= usedGroups * size
            else {
                throw parameters.invalid(
                    "expert_group_count",
                    "is \(groups), of which \(usedGroups) are used, for \(mixture.experts) experts")
            }
            mixture.routing.groups = .init(count: groups, used: usedGroups, best: best)
        }
        let shared = try parameters.int("expert_shared_count") ?? 0
        guard (0...64).contains(shared) else { throw parameters.invalid("expert_shared_count", "is \(shared)") }
        if shared > 0 { mixture.shared = GatedMLP(hidden: expertHidden * shared, suffix: "_shexp") }
        return mixture
    }

    var cache: CacheLayout {
        let layer = LatentAttention.cache(
            compressed: isCompressed, heads: heads, rank: rank, plainLength: plainLength, ropeLength: rope.dimensions,
            valueLength: valueLength)
        return CacheLayout(layers: Array(repeating: layer, count: layerCount))
    }

    func forward(_ g: inout ProgramBuilder) -> Value {
        let attention = LatentAttention(
            heads: heads, queryRank: queryRank, rank: rank, plainLength: plainLength, ropeLength: rope.dimensions,
            valueLength: valueLength, norm: norm, scale: attentionScale, rope: rope.table(&g, .interleaved))
        var x = g.embed("token_embd", vocabulary: vocabulary, width: width)
        for layer in 0..<layerCount {
            let block = "blk.\(layer)"
            let h = norm(&g, x, "\(block).attn_norm")
            x = g.add(x, attention(&g, h, block, layer: layer, compressed: isCompressed))
            let f = norm(&g, x, "\(block).ffn_norm")
            x = g.add(x, layer < denseLayers ? GatedMLP(hidden: hidden)(&g, f, block) : mixture(&g, f, block))
        }
        return g.logits(x, norm, vocabulary: vocabulary)
    }
}
