import GGUF

/// Tokens with a meaning of their own, and the ones that end an answer.
package struct SpecialTokens: Sendable, Hashable {
    package internal(set) var bos: TokenID?
    package internal(set) var eos: TokenID?
    /// End of a turn.
    package internal(set) var eot: TokenID?
    /// End of a message to a tool.
    package internal(set) var eom: TokenID?
    package internal(set) var unknown: TokenID?
    package internal(set) var separator: TokenID?
    package internal(set) var padding: TokenID?
    package internal(set) var mask: TokenID?
    /// All tokens that end an answer.
    package internal(set) var endOfGeneration: Set<TokenID> = []

    private typealias Field = WritableKeyPath<SpecialTokens, TokenID?>

    /// - Parameter vocabulary: Gets the attributes that the texts of its tokens imply.
    init(
        _ metadata: Metadata, _ vocabulary: inout Vocabulary, defaults: SpecialTokens, marks: ChatMarks,
        _ warnings: inout [String]
    ) throws(TokenizerError) {
        self = defaults
        // An id that encoding or stopping relies on must be right; some real files have a wrong one for the others.
        try read("cls", \.bos, isNeeded: true, metadata, vocabulary, &warnings)
        try read("bos", \.bos, isNeeded: true, metadata, vocabulary, &warnings)
        try read("eos", \.eos, isNeeded: true, metadata, vocabulary, &warnings)
        try read("eot", \.eot, isNeeded: true, metadata, vocabulary, &warnings)
        try read("eom", \.eom, isNeeded: true, metadata, vocabulary, &warnings)
        try read("unknown", \.unknown, isNeeded: true, metadata, vocabulary, &warnings)
        try read("seperator", \.separator, isNeeded: true, metadata, vocabulary, &warnings)
        try read("padding", \.padding, isNeeded: false, metadata, vocabulary, &warnings)
        try read("mask", \.mask, isNeeded: false, metadata, vocabulary, &warnings)
        try findEnds(metadata, &vocabulary, marks, &warnings)
    }

    /// Defaults of a kind of vocabulary, which hold where there are that many tokens.
    init(
        bos: TokenID? = nil, eos: TokenID? = nil, unknown: TokenID? = nil, separator: TokenID? = nil,
        padding: TokenID? = nil, mask: TokenID? = nil
    ) {
        self.bos = bos
        self.eos = eos
        self.unknown = unknown
        self.separator = separator
        self.padding = padding
        self.mask = mask
    }

    private mutating func read(
        _ name: String, _ field: Field, isNeeded: Bool, _ metadata: Metadata, _ vocabulary: Vocabulary,
        _ warnings: inout [String]
    ) throws(TokenizerError) {
        if let id = self[keyPath: field], !vocabulary.contains(id) { self[keyPath: field] = nil }
        if let id = try Self.id(name, isNeeded: isNeeded, metadata, vocabulary, &warnings) { self[keyPath: field] = id }
    }

    /// -1, in any integer type, stands for no token.
    private static func id(
        _ name: String, isNeeded: Bool, _ metadata: Metadata, _ vocabulary: Vocabulary, _ warnings: inout [String]
    ) throws(TokenizerError) -> TokenID? {
        let key = "tokenizer.ggml.\(name)_token_id"
        guard let id = try reading({ () throws(GGUFError) in try metadata.int(key) }) else { return nil }
        if id == -1 || id == Int(UInt32.max) { return nil }
        guard id >= 0, id < vocabulary.count else {
            let problem = "is \(id), but there are \(vocabulary.count) tokens"
            if isNeeded { throw TokenizerError(metadata, key: key, problem: problem) }
            warnings.append("\(key) \(problem): ignored")
            return nil
        }
        return TokenID(id)
    }

    // MARK: - The end of an answer

    /// Marks that people write too: in vocabularies where they are ordinary tokens (</s> is one of Qwen's,
    /// from HTML) they say nothing. The others are control tokens whatever the file says.
    private static let ordinary: Set = [
        "</s>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<eos>", "<PAD>", "[PAD]", "<REPO>", "<PRE>", "<SUF>", "<MID>",
    ]
    /// Texts of padding, repository and file separators in code models: where one comes, the code is complete.
    private static let fillInEnds: [(key: String, texts: [String])] = [
        ("fim_pad", ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
        ("fim_rep", ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]),
        ("fim_sep", ["<|file_sep|>"]),
    ]
    /// Texts that mark the parts of code to fill in: control tokens whatever the file says.
    private static let fillInMarks: [(keys: [String], texts: [String])] = [
        (
            ["fim_pre", "prefix"],
            [
                "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
                "<|prefix|>",
            ]
        ),
        (
            ["fim_suf", "suffix"],
            [
                "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>",
                "<|suffix|>",
            ]
        ),
        (
            ["fim_mid", "middle"],
            [
                "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>",
                "<|middle|>",
            ]
        ),
    ]
    private mutating func findEnds(
        _ metadata: Metadata, _ vocabulary: inout Vocabulary, _ marks: ChatMarks, _ warnings: inout [String]
    ) throws(TokenizerError) {
        if eot == nil { eot = Self.control(marks.turnEnds, &vocabulary) }
        for mark in Self.fillInMarks {
            var isGiven = false
            for key in mark.keys {
                let id = try Self.id(key, isNeeded: false, metadata, vocabulary, &warnings)
                isGiven = isGiven || id != nil
            }
            if !isGiven { _ = Self.control(mark.texts, &vocabulary) }
        }
        for end in Self.fillInEnds {
            let given = try Self.id(end.key, isNeeded: false, metadata, vocabulary, &warnings)
            if let id = given ?? Self.control(end.texts, &vocabulary) { endOfGeneration.insert(id) }
        }
        for text in marks.turnEnds + marks.otherEnds {
            if let id = Self.control([text], &vocabulary) { endOfGeneration.insert(id) }
        }
        for text in marks.visible {
            if let id = vocabulary.id(ofText: text) { vocabulary.attributes[Int(id)] = .userDefined }
        }
        endOfGeneration.formUnion([eos, eot, eom].compactMap { $0 })
        for exception in marks.exceptions { apply(exception, &vocabulary) }
        for id in 0..<vocabulary.count where vocabulary.attributes[id].contains(.control) {
            if vocabulary.text(TokenID(id)).contains("unused") { vocabulary.attributes[id].insert(.unused) }
        }
    }

    /// The first of `texts` that is a token, which becomes a control token.
    private static func control(_ texts: [String], _ vocabulary: inout Vocabulary) -> TokenID? {
        for text in texts {
            guard let id = vocabulary.id(ofText: text) else { continue }
            if ordinary.contains(text), vocabulary.attributes[Int(id)] == .normal { continue }
            vocabulary.attributes[Int(id)].insert(.control)
            return id
        }
        return nil
    }

    /// Takes a text that ends answers elsewhere out of the ends.
    private mutating func apply(_ exception: ChatMarks.Exception, _ vocabulary: inout Vocabulary) {
        func end(_ text: String) -> TokenID? {
            vocabulary.id(ofText: text).flatMap { endOfGeneration.contains($0) ? $0 : nil }
        }
        guard let id = end(exception.text),
            exception.besides.allSatisfy({ group in group.contains { end($0) != nil } })
        else { return }
        endOfGeneration.remove(id)
        vocabulary.attributes[Int(id)] = exception.becomes
    }
}
