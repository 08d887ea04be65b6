package import GGUF

/// Text to tokens and back, as the vocabulary in a model's metadata wants it.
package struct Tokenizer: Sendable {
    package let vocabulary: Vocabulary
    package let special: SpecialTokens
    /// What is odd about the vocabulary but does not keep it from being used: one line each.
    package let warnings: [String]
    /// With what encoding with `addSpecial` begins and ends.
    package let firstToken: TokenID?
    package let lastToken: TokenID?
    /// Whether the reference removes the spaces before punctuation from a finished text.
    package let cleansUpSpaces: Bool
    private let addsSpacePrefix: Bool
    private let model: any TokenModel
    private let partition: Partition

    /// The values of `tokenizer.ggml.model` that are supported.
    package static let supportedModels = Family.all.map { $0.name }

    /// - Parameter chats: What is known of the chats of models. (The `Models` module has an initializer with all that it knows.)
    package init(_ metadata: Metadata, chats: [ChatMarks]) throws(TokenizerError) {
        let name = try reading { () throws(GGUFError) in try metadata.requiredString(Key.model) }
        guard let family = Family.all.first(where: { $0.name == name }) else {
            let supported = Self.supportedModels.joined(separator: ", ")
            throw TokenizerError(
                metadata, key: Key.model, problem: "is '\(name.prefix(60))', which is not supported (\(supported) are)")
        }
        var warnings: [String] = []
        let preTokenizer = try family.preTokenizer(metadata, &warnings)
        var policy = family.policy
        var spelling = family.spelling
        if let preTokenizer {
            policy.addsBOS = preTokenizer.addsBOS
            policy.cleansUpSpaces = preTokenizer.cleansUpSpaces
            if preTokenizer.escapesSpaces { spelling = .escapedSpaces }
        }
        policy.addsBOS = try Self.bool(Key.addsBOS, metadata) ?? policy.addsBOS
        policy.addsEOS = try Self.bool(Key.addsEOS, metadata) ?? policy.addsEOS
        policy.addsSpacePrefix = try Self.bool(Key.addsSpacePrefix, metadata) ?? policy.addsSpacePrefix
        policy.removesExtraSpaces = try Self.bool(Key.removesExtraSpaces, metadata) ?? policy.removesExtraSpaces
        // Gemma 4 cannot do without, whatever its files say.
        if let preTokenizer, preTokenizer.keepsNewlines { policy.addsBOS = true }

        var vocabulary = try Vocabulary(metadata, spelling: spelling)
        if vocabulary.duplicates > 0 {
            warnings.append("\(Key.tokens) has \(vocabulary.duplicates) texts twice: the last one counts")
        }
        let special = try SpecialTokens(
            metadata, &vocabulary, defaults: family.special, marks: ChatMarks(joining: chats), &warnings)
        Self.addStripping(metadata, &vocabulary)
        model = try family.makeModel(
            Family.Parts(
                metadata: metadata, vocabulary: vocabulary, special: special, policy: policy,
                preTokenizer: preTokenizer))
        partition = Partition(vocabulary)
        self.vocabulary = vocabulary
        self.special = special
        self.warnings = warnings
        firstToken = policy.addsBOS || family.endsWithSeparator ? special.bos : nil
        lastToken = family.endsWithSeparator ? special.separator : policy.addsEOS ? special.eos : nil
        addsSpacePrefix = policy.addsSpacePrefix
        cleansUpSpaces = policy.cleansUpSpaces
    }

    static func bool(_ key: String, _ metadata: Metadata) throws(TokenizerError) -> Bool? {
        try reading { () throws(GGUFError) in try metadata.bool(key) }
    }

    /// Tokens of known models that swallow the white space beside them, which GGUF has no key for.
    private static func addStripping(_ metadata: Metadata, _ vocabulary: inout Vocabulary) {
        func text(_ key: String) -> String {
            if case .string(let text) = metadata[key] { text } else { "" }
        }
        func insert(_ attribute: TokenAttributes, _ token: String) {
            if let id = vocabulary.id(ofText: token) { vocabulary.attributes[Int(id)].insert(attribute) }
        }
        let preTokenizer = text(Key.preTokenizer)
        let name = text(Key.name).lowercased()
        if ["jina-v2-de", "jina-v2-es", "jina-v2-code"].contains(where: preTokenizer.contains)
            || ["nomic-bert-moe", "jina-bert-v3"].contains(where: text(Key.architecture).contains)
        {
            insert(.stripsLeft, "<mask>")
        } else if name.contains("phi-3") || name.contains("phi3") {
            for id in 0..<vocabulary.count
            where !vocabulary.attributes[id].isDisjoint(with: [.control, .userDefined, .unknown]) {
                vocabulary.attributes[id].insert(.stripsRight)
            }
            insert(.stripsRight, "</s>")
            for token in ["<unk>", "<s>", "<|endoftext|>"] {
                if let id = vocabulary.id(ofText: token) { vocabulary.attributes[Int(id)].remove(.stripsRight) }
            }
        } else if name.contains("modern-bert") {
            insert(.stripsLeft, "[MASK]")
        }
    }

    /// The tokens that end an answer.
    package var endOfGeneration: Set<TokenID> { special.endOfGeneration }
}

// MARK: - Encoding
extension Tokenizer {
    /// The tokens of `text`, which may hold any bytes.
    /// - Parameters:
    ///   - addSpecial: Adds the tokens that mark the borders of a text, where the model has them.
    ///   - parseSpecial: Finds control tokens in the text; otherwise their text is text. User-defined tokens are always found.
    package func encode(_ text: Span<UInt8>, addSpecial: Bool, parseSpecial: Bool) -> [TokenID] {
        var output: [TokenID] = []
        if addSpecial, let firstToken { output.append(firstToken) }
        var isFirst = true
        for fragment in partition.fragments(text, parseSpecial: parseSpecial) {
            switch fragment {
            case .text(let range):
                model.encode(text.extracting(range), isFirst: isFirst, into: &output)
                isFirst = false
            case .token(let id):
                output.append(id)
                isFirst = true
            }
        }
        if addSpecial, let lastToken { output.append(lastToken) }
        return output
    }

    package func encode(_ text: some Sequence<UInt8>, addSpecial: Bool, parseSpecial: Bool) -> [TokenID] {
        encode(Array(text).span, addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    package func encode(_ text: String, addSpecial: Bool, parseSpecial: Bool) -> [TokenID] {
        encode(text.utf8, addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    /// What looks like a mistake in the tokens of a prompt that was encoded with `addSpecial`: one line each.
    package func oddities(of prompt: [TokenID]) -> [String] {
        var oddities: [String] = []
        if let bos = firstToken, prompt.count >= 2, prompt[0] == bos, prompt[1] == bos {
            oddities.append("the prompt begins with its own \(vocabulary.text(bos)) after the one that the model adds")
        }
        if let eos = lastToken, prompt.count >= 2, prompt.suffix(2).allSatisfy({ $0 == eos }) {
            oddities.append("the prompt ends with its own \(vocabulary.text(eos)) before the one that the model adds")
        }
        return oddities
    }
}

// MARK: - Decoding
extension Tokenizer {
    /// Turns tokens into text as they come.
    /// - Parameters:
    ///   - skipSpecial: Leaves control tokens out.
    ///   - removeLeadingSpace: Removes the space that encoding put in front; for the beginning of a text only.
    package func detokenizer(skipSpecial: Bool, removeLeadingSpace: Bool = false) -> Detokenizer {
        Detokenizer(
            vocabulary, skipsSpecial: skipSpecial, removesSpace: removeLeadingSpace && addsSpacePrefix)
    }

    /// The text of `tokens`, with U+FFFD for what is not UTF-8.
    /// - Parameter cleanUp: Removes the spaces before punctuation where the model's own tokenizer would.
    package func decode(_ tokens: [TokenID], skipSpecial: Bool, cleanUp: Bool = false) -> String {
        var bytes = decodeBytes(tokens, skipSpecial: skipSpecial)
        if cleanUp, cleansUpSpaces { SpaceCleaner.clean(&bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes that `tokens` stand for, without the space that encoding put in front.
    package func decodeBytes(_ tokens: [TokenID], skipSpecial: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        var tokens = tokens[...]
        var removesSpace = addsSpacePrefix
        if skipSpecial, let bos = firstToken, tokens.first == bos { tokens.removeFirst() }
        for token in tokens {
            let start = bytes.count
            vocabulary.appendPiece(token, skipSpecial: skipSpecial, to: &bytes)
            if removesSpace, bytes.count > start, bytes[start] == UInt8(ascii: " ") { bytes.remove(at: start) }
            removesSpace = false
        }
        return bytes
    }
}
