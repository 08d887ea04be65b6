/// What words became earlier in the same text: natural language repeats itself. A new word displaces one with the same slot.
struct WordCache {
    /// The bytes of a word: whole for up to 24, which is as long as a word can be here.
    struct Key: Equatable {
        var length: Int
        var first: UInt64
        var second: UInt64
        var third: UInt64

        /// - Parameter word: At most `longestWord` bytes.
        @inline(__always)
        init(_ word: Span<UInt8>) {
            let bytes = unsafe word.bytes
            length = bytes.byteCount
            (first, second, third) = (0, 0, 0)
            switch length {
            case 0: break
            case 1...3: first = UInt64(word[0]) << 16 | UInt64(word[length >> 1]) << 8 | UInt64(word[length - 1])
            case 4...7: first = UInt64(ByteHash.half(bytes, 0)) << 32 | UInt64(ByteHash.half(bytes, length - 4))
            case 8...16:
                first = ByteHash.word(bytes, 0)
                second = ByteHash.word(bytes, length - 8)
            default:
                first = ByteHash.word(bytes, 0)
                second = ByteHash.word(bytes, 8)
                third = ByteHash.word(bytes, length - 8)
            }
        }

        fileprivate var slot: Int {
            let hash = ByteHash.mix(first ^ ByteHash.mix(second ^ ByteHash.mix(third ^ UInt64(length))))
            return Int(truncatingIfNeeded: hash & UInt64(WordCache.size - 1))
        }
    }

    private struct Entry {
        var key: Key
        var tokenCount: Int32
        var tokens: (TokenID, TokenID, TokenID)
    }

    static let longestWord = 24
    private static let mostTokens = 3
    /// As much as fits the second-level cache of a core.
    fileprivate static let size = 1 << 13

    private var entries: [Entry]

    init() {
        let free = Entry(key: Key([UInt8]().span), tokenCount: 0, tokens: (0, 0, 0))
        entries = [Entry](repeating: free, count: Self.size)
    }

    /// Appends to `output` what the word became, if that is known.
    @inline(__always)
    func append(_ key: Key, to output: inout [TokenID]) -> Bool {
        let entries = entries.span
        let entry = entries[key.slot]
        guard entry.key == key else { return false }
        output.append(entry.tokens.0)
        if entry.tokenCount > 1 { output.append(entry.tokens.1) }
        if entry.tokenCount > 2 { output.append(entry.tokens.2) }
        return true
    }

    mutating func insert(_ key: Key, _ tokens: ArraySlice<TokenID>) {
        guard !tokens.isEmpty, tokens.count <= Self.mostTokens else { return }
        let start = tokens.startIndex
        entries[key.slot] = Entry(
            key: key, tokenCount: Int32(tokens.count),
            tokens: (
                tokens[start], tokens.count > 1 ? tokens[start + 1] : 0, tokens.count > 2 ? tokens[start + 2] : 0
            ))
    }
}
