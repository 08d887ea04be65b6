import GGUF

/// A kind of vocabulary: one value of `tokenizer.ggml.model`.
struct Family: Sendable {
    /// What holds unless the metadata says otherwise.
    struct Policy: Sendable {
        var addsBOS = false
        var addsEOS = false
        var addsSpacePrefix = false
        var removesExtraSpaces = false
        var cleansUpSpaces = false
    }

    /// Everything that a model is made of.
    struct Parts: Sendable {
        let metadata: Metadata
        let vocabulary: Vocabulary
        let special: SpecialTokens
        let policy: Policy
        let preTokenizer: PreTokenizer?
    }

    enum Splitting: Sendable {
        case none
        /// By the value of `tokenizer.ggml.pre`.
        case named
        case fixed(String)
    }

    let name: String
    let spelling: Vocabulary.Spelling
    var splitting = Splitting.none
    var policy = Policy()
    var special = SpecialTokens()
    /// Whether a text ends with the separator, as BERT's does, and always begins with the BOS token.
    var endsWithSeparator = false
    let makeModel: @Sendable (Parts) throws(TokenizerError) -> any TokenModel

    static let all = [sentencePiece, bytePair, gemma4, wordPiece, unigram]

    /// The splitting rule, or nil for a kind that has none.
    func preTokenizer(_ metadata: Metadata, _ warnings: inout [String]) throws(TokenizerError) -> PreTokenizer? {
        switch splitting {
        case .none: return nil
        case .fixed(let name): return PreTokenizer.named(name)
        case .named:
            let name = try reading { () throws(GGUFError) in try metadata.string(Key.preTokenizer) }
            guard let name else {
                warnings.append("\(Key.preTokenizer) is missing: text is split by the default rule, answers may suffer")
                return .fallback
            }
            if let preTokenizer = PreTokenizer.named(name) { return preTokenizer }
            let shown = String(name.prefix(60)).debugDescription
            warnings.append(
                "\(Key.preTokenizer) \(shown) is unknown: text is split by the default rule, answers may suffer")
            return .fallback
        }
    }

    private static let sentencePiece = Family(
        name: "llama", spelling: .escapedSpaces, policy: Policy(addsBOS: true, addsSpacePrefix: true),
        special: SpecialTokens(bos: 1, eos: 2, unknown: 0)
    ) { (parts) throws(TokenizerError) in
        SentencePieceModel(
            parts.vocabulary, unknown: parts.special.unknown, addsSpacePrefix: parts.policy.addsSpacePrefix)
    }

    private static let bytePair = Family(name: "gpt2", spelling: .byteLevel, splitting: .named, makeModel: makeBytePair)

    private static let gemma4 = Family(
        name: "gemma4", spelling: .escapedSpaces, splitting: .fixed("gemma4"), makeModel: makeBytePair)

    @Sendable private static func makeBytePair(_ parts: Parts) throws(TokenizerError) -> any TokenModel {
        try BytePairModel(parts.metadata, parts.vocabulary, parts.preTokenizer ?? .fallback)
    }

    private static let wordPiece = Family(
        name: "bert", spelling: .escapedSpaces, policy: Policy(addsBOS: true, cleansUpSpaces: true),
        special: SpecialTokens(bos: 101, unknown: 100, separator: 102, padding: 0, mask: 103), endsWithSeparator: true
    ) { (parts) throws(TokenizerError) in
        let lowercases = try Tokenizer.bool(Key.lowercases, parts.metadata) ?? true
        return WordPieceModel(
            parts.vocabulary, unknown: parts.special.unknown, lowercases: lowercases,
            stripsAccents: try Tokenizer.bool(Key.stripsAccents, parts.metadata) ?? lowercases)
    }

    private static let unigram = Family(
        name: "t5", spelling: .escapedSpaces, policy: Policy(addsEOS: true),
        special: SpecialTokens(eos: 1, unknown: 2, padding: 0)
    ) { (parts) throws(TokenizerError) in
        guard let unknown = parts.special.unknown else {
            throw TokenizerError(
                parts.metadata, key: "tokenizer.ggml.unknown_token_id",
                problem: "is missing, but this kind of tokenizer needs it")
        }
        let normalizer = try UnigramNormalizer(
            parts.metadata, parts.vocabulary, addsSpacePrefix: parts.policy.addsSpacePrefix,
            mergesSpaces: parts.policy.removesExtraSpaces)
        return UnigramModel(parts.vocabulary, unknown: unknown, normalizer: normalizer)
    }
}
