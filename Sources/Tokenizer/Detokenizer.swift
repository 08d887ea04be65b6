/// Text of tokens that come one by one: complete UTF-8 at every step, nothing lost.
package struct Detokenizer: Sendable {
    private let vocabulary: Vocabulary
    private let skipsSpecial: Bool
    private var removesSpace: Bool
    /// The start of a character whose rest has not come yet: at most three bytes.
    private var pending: [UInt8] = []

    init(_ vocabulary: Vocabulary, skipsSpecial: Bool, removesSpace: Bool) {
        self.vocabulary = vocabulary
        self.skipsSpecial = skipsSpecial
        self.removesSpace = removesSpace
        // Room for nearly every token: the text of a step is made without allocating.
        pending.reserveCapacity(64)
    }

    /// The text that `token` completes. Bytes that are not UTF-8, and cannot become it, are U+FFFD.
    package mutating func append(_ token: TokenID) -> String {
        let start = pending.count
        vocabulary.appendPiece(token, skipSpecial: skipsSpecial, to: &pending)
        if removesSpace, pending.count > start {
            if pending[start] == UInt8(ascii: " ") { pending.remove(at: start) }
            removesSpace = false
        }
        let complete = pending.count - Self.incompleteSuffix(of: pending)
        guard complete > 0 else { return "" }
        let text = String(decoding: pending[..<complete], as: UTF8.self)
        pending.removeFirst(complete)
        return text
    }

    /// What is left when no more tokens come: U+FFFD for an incomplete character.
    package mutating func finish() -> String {
        defer { pending.removeAll() }
        return String(decoding: pending, as: UTF8.self)
    }

    /// How many bytes at the end are the start of a character that more bytes could complete.
    private static func incompleteSuffix(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let start = bytes.count - length
            let first = bytes[start]
            if first & 0xC0 == 0x80 { continue }
            let needed = UTF8Bytes.length(first: first)
            guard needed > length, (0xC2...0xF4).contains(first) else { return 0 }
            // The second byte already rules out some characters: surrogates, overlong forms, those above U+10FFFF.
            if length >= 2 {
                let second = bytes[start + 1]
                switch first {
                case 0xE0 where second < 0xA0, 0xED where second > 0x9F, 0xF0 where second < 0x90,
                    0xF4 where second > 0x8F:
                    return 0
                default: break
                }
            }
            return length
        }
        return 0
    }
}

extension Vocabulary {
    /// Appends the bytes that a token stands for. Nothing for a token that is not in the vocabulary.
    package func appendPiece(_ token: TokenID, skipSpecial: Bool, to bytes: inout [UInt8]) {
        guard contains(token) else { return }
        let attributes = attributes[Int(token)]
        if attributes.isSpecial, skipSpecial { return }
        if attributes.isSpecial || attributes.contains(.userDefined) {
            appendText(token, to: &bytes)
        } else if attributes.contains(.byte) {
            if let byte = byteValue(token) { bytes.append(byte) } else { appendText(token, to: &bytes) }
        } else if attributes.contains(.normal) {
            let key = keys[Int(token)]
            switch spelling {
            case .plain: appendText(token, to: &bytes)
            case .escapedSpaces: EscapedSpace.unescape(key, into: &bytes)
            case .byteLevel:
                if isReachable(key) {
                    bytes.append(contentsOf: key)
                } else {
                    appendText(token, to: &bytes)
                }
            }
        }
    }

    /// The text of one token for people: special tokens shown, U+FFFD for parts of characters.
    package func piece(_ token: TokenID) -> String {
        var bytes: [UInt8] = []
        appendPiece(token, skipSpecial: false, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func appendText(_ token: TokenID, to bytes: inout [UInt8]) {
        withText(token) { text in bytes.append(contentsOf: text) }
    }

    /// NN of a text <0xNN>.
    private func byteValue(_ token: TokenID) -> UInt8? {
        let text = text(token)
        guard text.utf8.count == 6, text.hasPrefix("<0x"), text.hasSuffix(">") else { return nil }
        return UInt8(text.dropFirst(3).dropLast(), radix: 16)
    }
}

/// Removes the spaces that a word-level tokenizer leaves before punctuation and short forms, as Hugging Face's
/// `clean_up_tokenization_spaces` does.
enum SpaceCleaner {
    static func clean(_ bytes: inout [UInt8]) {
        let space = UInt8(ascii: " ")
        let quote = UInt8(ascii: "'")
        bytes = removing(bytes) { text, index in
            text[index] == space && index + 1 < text.count && "?!.,".utf8.contains(text[index + 1])
        }
        // A single quote between spaces loses both.
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if index > 0, bytes[index] == quote, result.last == space, index + 1 < bytes.count,
                bytes[index + 1] == space
            {
                result.removeLast()
                result.append(quote)
                index += 2
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        bytes = removing(result) { text, index in
            guard text[index] == space else { return false }
            let rest = text[(index + 1)...]
            return ["n't", "'m", "'s", "'ve", "'re"].contains { rest.starts(with: $0.utf8) }
        }
    }

    private static func removing(_ text: [UInt8], _ isRemoved: ([UInt8], Int) -> Bool) -> [UInt8] {
        text.indices.filter { !isRemoved(text, $0) }.map { text[$0] }
    }
}
