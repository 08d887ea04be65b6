import GGUF

/// Number of a token in its vocabulary.
package typealias TokenID = Int32

/// The tokens of a model: texts, kinds, scores, and the way back from text to number.
package struct Vocabulary: Sendable {
    /// How a token's text spells the bytes that it stands for.
    enum Spelling: Sendable {
        /// As they are.
        case plain
        /// As they are, with U+2581 for a space.
        case escapedSpaces
        case byteLevel
    }

    /// Texts as the file has them.
    private let texts: StringTable
    /// Texts in the form in which text to encode is looked up: bytes instead of their byte-level spelling.
    let keys: ByteStrings
    let table: TokenTable
    let spelling: Spelling
    package internal(set) var attributes: [TokenAttributes]
    package let scores: [Float]
    /// Bytes of the longest key.
    let longest: Int
    /// Number of tokens whose text another token has too.
    let duplicates: Int

    package var count: Int { attributes.count }

    init(_ metadata: Metadata, spelling: Spelling) throws(TokenizerError) {
        let texts = try reading { () throws(GGUFError) in try metadata.strings(Key.tokens) }
        guard let texts else { throw TokenizerError(metadata, key: Key.tokens, problem: "is missing") }
        guard !texts.isEmpty else { throw TokenizerError(metadata, key: Key.tokens, problem: "has no tokens") }
        guard texts.count < Int(TokenID.max), texts.byteCount + 2 * texts.count < Int(UInt32.max) else {
            throw TokenizerError(metadata, key: Key.tokens, problem: "has too many tokens: \(texts.count)")
        }
        self.texts = texts
        self.spelling = spelling
        attributes = try Self.attributes(metadata, count: texts.count)
        scores = try Self.scores(metadata, count: texts.count)

        var keys = ByteStrings(capacity: texts.count, byteCapacity: texts.byteCount)
        var table = TokenTable(capacity: texts.count)
        var longest = 0
        var duplicates = 0
        for id in 0..<texts.count {
            texts.withBytes(id) { text in
                if case .byteLevel = spelling {
                    keys.append { bytes in
                        // A text that spells no bytes cannot come out of merging: only partitioning finds it.
                        if ByteLevel.decode(text, into: &bytes) { return }
                        bytes += Self.unreachable
                        bytes.append(contentsOf: text)
                    }
                } else {
                    keys.append(text)
                }
            }
        }
        for id in 0..<texts.count where keys.length(id) > 0 {
            longest = max(longest, keys.length(id))
            if table.insert(id, of: keys) { duplicates += 1 }
        }
        self.keys = keys
        self.table = table
        self.longest = longest
        self.duplicates = duplicates
    }

    /// Begins the key of a token that byte-level text must not find: no UTF-8 begins so.
    private static let unreachable: [UInt8] = [0xFF, 0xFF]

    private static func attributes(_ metadata: Metadata, count: Int) throws(TokenizerError) -> [TokenAttributes] {
        let types = try reading { () throws(GGUFError) in try metadata.ints(Key.types) }
        guard let types else { return [TokenAttributes](repeating: .normal, count: count) }
        guard types.count >= count else {
            throw TokenizerError(metadata, key: Key.types, problem: "has \(types.count) entries for \(count) tokens")
        }
        return types.prefix(count).map { TokenAttributes(type: $0) }
    }

    private static func scores(_ metadata: Metadata, count: Int) throws(TokenizerError) -> [Float] {
        let scores: [Float]?
        if case .array(.int32(let integers)) = metadata[Key.scores] {
            scores = integers.map { Float($0) }
        } else {
            scores = try reading { () throws(GGUFError) in try metadata.floats(Key.scores) }
        }
        guard let scores else { return [Float](repeating: 0, count: count) }
        guard scores.count >= count else {
            throw TokenizerError(metadata, key: Key.scores, problem: "has \(scores.count) entries for \(count) tokens")
        }
        return scores.count == count ? scores : Array(scores.prefix(count))
    }

    /// The text of a token as the file has it, repaired where it is not UTF-8.
    package func text(_ id: TokenID) -> String { texts.string(Int(id)) }

    package func withText<R, E: Error>(_ id: TokenID, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try texts.withBytes(Int(id), body)
    }

    /// The token whose text in the file is `text`.
    package func id(ofText text: String) -> TokenID? {
        let bytes = Array(text.utf8)
        guard case .byteLevel = spelling else { return id(ofKey: bytes.span) }
        var key: [UInt8] = []
        if !ByteLevel.decode(bytes.span, into: &key) { key = Self.unreachable + bytes }
        return id(ofKey: key.span)
    }

    @inline(__always)
    func id(ofKey key: Span<UInt8>) -> TokenID? {
        if key.count > longest || key.isEmpty { return nil }
        return table.find(key, in: keys)
    }

    /// Whether text can become the token with this key.
    func isReachable(_ key: Span<UInt8>) -> Bool { key.count < 2 || key[0] != 0xFF || key[1] != 0xFF }

    package func contains(_ id: TokenID) -> Bool { id >= 0 && id < count }
}

extension Vocabulary {
    /// The token of each byte: the one spelled <0xNN>, else the one that is the byte itself; -1 where there is none.
    func byteTokens() -> [TokenID] {
        let digits = Array("0123456789ABCDEF".utf8)
        return (0..<256).map { byte in
            let spelled = Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15], UInt8(ascii: ">")]
            return id(ofKey: spelled.span) ?? id(ofKey: [UInt8(byte)].span) ?? -1
        }
    }
}

/// Keys of the metadata that describe a vocabulary.
enum Key {
    static let model = "tokenizer.ggml.model"
    static let preTokenizer = "tokenizer.ggml.pre"
    static let tokens = "tokenizer.ggml.tokens"
    static let types = "tokenizer.ggml.token_type"
    static let scores = "tokenizer.ggml.scores"
    static let merges = "tokenizer.ggml.merges"
    static let addsBOS = "tokenizer.ggml.add_bos_token"
    static let addsEOS = "tokenizer.ggml.add_eos_token"
    static let addsSeparator = "tokenizer.ggml.add_sep_token"
    static let addsSpacePrefix = "tokenizer.ggml.add_space_prefix"
    static let removesExtraSpaces = "tokenizer.ggml.remove_extra_whitespaces"
    static let charactersMap = "tokenizer.ggml.precompiled_charsmap"
    static let lowercases = "tokenizer.ggml.normalizer.lowercase"
    static let stripsAccents = "tokenizer.ggml.normalizer.strip_accents"
    static let name = "general.name"
    static let architecture = "general.architecture"
}
