import GGUF
import Quant

/// Which format each tensor of a file gets: the rules by which llama.cpp's quantizer distributes the formats of a mix.
struct QuantizationPlan {
    let mix: Mix
    /// In file order.
    private(set) var formats: [Format] = []

    private let layerCount: Int
    private let experts: Int
    private let queriesPerKey: Int
    private let hasOutput: Bool

    init(_ mix: Mix, for file: GGUFFile) throws {
        self.mix = mix
        let metadata = file.metadata
        let architecture = try metadata.string("general.architecture") ?? ""
        func parameter(_ key: String) throws -> Int? { try metadata.ints("\(architecture).\(key)")?.first }
        let heads = try parameter("attention.head_count") ?? 1
        let kvHeads = try parameter("attention.head_count_kv") ?? heads
        let lastLayer = file.tensors.compactMap { layer(ofTensor: $0.name) }.max() ?? -1
        layerCount = try parameter("block_count") ?? lastLayer + 1
        experts = try parameter("expert_count") ?? 0
        queriesPerKey = kvHeads > 0 ? heads / kvHeads : 1
        hasOutput = file.tensor("output.weight") != nil
        formats = file.tensors.map(format)
    }

    private func format(for tensor: TensorInfo) -> Format {
        guard Self.isQuantizable(tensor) else { return tensor.format }
        guard mix.base.isQuantized else { return mix.base }
        return Self.fallback(wanted(tensor), rowLength: tensor.dimensions[0])
    }

    /// Only matrices and stacks of them; what steers the rest (norms, the router of experts, positions) is small and stays.
    private static func isQuantizable(_ tensor: TensorInfo) -> Bool {
        tensor.dimensions.dropFirst().contains { $0 > 1 } && tensor.name.hasSuffix("weight")
            && !keptParts.contains { tensor.name.contains($0) } && !keptNames.contains(tensor.name)
    }

    private static let keptNames: Set<String> = ["position_embd.weight", "token_types.weight"]
    private static let keptParts = [
        "_norm.weight", "ffn_gate_inp.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d",
        "shortconv.conv.weight", "attn_rel_b.weight",
    ]

    private func wanted(_ tensor: TensorInfo) -> Format {
        let role = TensorRole(name: tensor.name)
        // Without a matrix of its own the output reads the embedding, so that gets the output's care.
        if role == .output || (role == .tokenEmbedding && !hasOutput) {
            return mix.base.name == "Q8_0" || !mix.base.fits(tensor.dimensions[0])
                ? Format.known("Q8_0") : Format.known("Q6_K")
        }
        if experts == 8 {
            // These matrices are shared by all experts, hence small in comparison.
            if role == .attentionValue || role == .attentionKey { return Format.known("Q8_0") }
            if role == .attentionOutput { return mix.attentionOutputOfEightExperts ?? mix.base }
        }
        let layer = layer(ofTensor: tensor.name) ?? 0
        let rule = mix.rules.first {
            $0.role == role && $0.layers.contains(layer, of: layerCount) && (!$0.needsGrouping || queriesPerKey >= 4)
        }
        let format = rule?.format ?? mix.base
        // Llama 70B: eight query heads share each value head, so the matrix is an eighth of its sisters' size.
        if role == .attentionValue, layerCount == 80, queriesPerKey > 1, ["Q3_K", "Q4_K"].contains(format.name) {
            return Format.known("Q5_K")
        }
        return format
    }

    /// A format with shorter blocks where a row is no whole number of blocks.
    private static func fallback(_ format: Format, rowLength: Int) -> Format {
        if format.fits(rowLength) { return format }
        if let next = shorter[format.name].map(Format.known), next.fits(rowLength) { return next }
        return Format.known("F16")
    }

    private static let shorter = [
        "Q2_K": "Q4_0", "Q3_K": "Q4_0", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0",
        "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL",
    ]
}
