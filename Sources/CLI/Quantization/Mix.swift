import Quant

/// A choice of formats for the matrices of a model, under the name and `general.file_type` that GGUF tools know it by.
struct Mix {
    /// Gives a role another format than the base in some layers.
    struct Rule {
        let role: TensorRole
        let layers: Layers
        let format: Format
        /// Holds only where at least four query heads share a key head.
        let needsGrouping: Bool

        init(_ role: TensorRole, _ format: String, in layers: Layers = .all, needsGrouping: Bool = false) {
            self.role = role
            self.layers = layers
            self.format = Format.known(format)
            self.needsGrouping = needsGrouping
        }
    }

    enum Layers {
        case all
        /// The first eighth, the last eighth, and every third between.
        case important
        case first(Int)
        /// The first of that many equal parts.
        case firstPart(of: Int)

        func contains(_ layer: Int, of count: Int) -> Bool {
            switch self {
            case .all: true
            case .important: layer < count / 8 || layer >= 7 * count / 8 || (layer - count / 8) % 3 == 2
            case .first(let limit): layer < limit
            case .firstPart(let parts): layer < count / parts
            }
        }
    }

    let name: String
    let fileType: UInt32
    let base: Format
    /// The first that fits counts.
    let rules: [Rule]
    /// Format of the attention output in models of eight experts.
    let attentionOutputOfEightExperts: Format?

    init(
        _ name: String, _ fileType: UInt32, _ base: String, _ rules: [Rule] = [],
        attentionOutputOfEightExperts: String? = nil
    ) {
        self.name = name
        self.fileType = fileType
        self.base = Format.known(base)
        self.rules = rules
        self.attentionOutputOfEightExperts = attentionOutputOfEightExperts.map(Format.known)
    }
}

extension Mix {
    /// Every mix, by increasing size within a family. File types as in llama.cpp's `llama_ftype`.
    static let all: [Mix] = [
        Mix("F32", 0, "F32"),
        Mix("F16", 1, "F16"),
        Mix("BF16", 32, "BF16"),
        Mix("Q4_0", 2, "Q4_0"),
        Mix("Q4_1", 3, "Q4_1"),
        Mix("Q5_0", 8, "Q5_0"),
        Mix("Q5_1", 9, "Q5_1"),
        Mix("Q8_0", 7, "Q8_0"),
        Mix(
            "Q2_K", 10, "Q2_K",
            [
                Rule(.attentionValue, "Q4_K", needsGrouping: true), Rule(.attentionValue, "Q3_K"),
                Rule(.attentionOutput, "Q3_K"), Rule(.feedForwardDown, "Q3_K"),
            ], attentionOutputOfEightExperts: "Q5_K"),
        Mix("Q3_K_S", 11, "Q3_K", attentionOutputOfEightExperts: "Q5_K"),
        Mix(
            "Q3_K_M", 12, "Q3_K",
            [
                Rule(.attentionValue, "Q5_K", in: .first(2)), Rule(.attentionValue, "Q4_K"),
                Rule(.attentionOutput, "Q4_K"),
                Rule(.feedForwardDown, "Q5_K", in: .firstPart(of: 16)), Rule(.feedForwardDown, "Q4_K"),
            ], attentionOutputOfEightExperts: "Q5_K"),
        Mix(
            "Q3_K_L", 13, "Q3_K",
            [Rule(.attentionValue, "Q5_K"), Rule(.attentionOutput, "Q5_K"), Rule(.feedForwardDown, "Q5_K")]),
        // Every matrix but the output in one format. There is no file type for it; the nearest is that of Q4_K_S.
        Mix("Q4_K", 14, "Q4_K"),
        Mix(
            "Q4_K_S", 14, "Q4_K",
            [Rule(.attentionValue, "Q5_K", in: .first(4)), Rule(.feedForwardDown, "Q5_K", in: .firstPart(of: 8))],
            attentionOutputOfEightExperts: "Q5_K"),
        Mix(
            "Q4_K_M", 15, "Q4_K",
            [Rule(.attentionValue, "Q6_K", in: .important), Rule(.feedForwardDown, "Q6_K", in: .important)],
            attentionOutputOfEightExperts: "Q5_K"),
        Mix("Q5_K_S", 16, "Q5_K"),
        Mix(
            "Q5_K_M", 17, "Q5_K",
            [Rule(.attentionValue, "Q6_K", in: .important), Rule(.feedForwardDown, "Q6_K", in: .important)]),
        Mix("Q6_K", 18, "Q6_K"),
        Mix(
            "IQ4_NL", 25, "IQ4_NL",
            [
                Rule(.attentionValue, "Q5_K", needsGrouping: true),
                Rule(.feedForwardDown, "Q5_K", in: .firstPart(of: 8)),
            ], attentionOutputOfEightExperts: "Q5_K"),
        Mix(
            "IQ4_XS", 30, "IQ4_XS",
            [
                Rule(.attentionValue, "Q5_K", needsGrouping: true),
                Rule(.feedForwardDown, "Q5_K", in: .firstPart(of: 8)),
            ], attentionOutputOfEightExperts: "Q5_K"),
        Mix("TQ1_0", 36, "TQ1_0", [Rule(.tokenEmbedding, "Q4_K")]),
        Mix("TQ2_0", 37, "TQ2_0", [Rule(.tokenEmbedding, "Q4_K")]),
    ]

    static func named(_ name: String) -> Mix? { all.first { $0.name == name.uppercased() } }
}

extension Format {
    /// A format that is always listed.
    static func known(_ name: String) -> Format {
        guard let format = named(name) else { preconditionFailure("there is no format \(name)") }
        return format
    }

    /// Whether a row of `length` weights is a whole number of blocks.
    func fits(_ length: Int) -> Bool { length.isMultiple(of: blockLength) }

    var isQuantized: Bool { blockLength > 1 }
}
