import GGUF

/// The merges of a byte-pair vocabulary: which two tokens become which, and which pair goes first.
struct MergeTable: Sendable {
    private struct Merge: Sendable {
        var left: TokenID
        var right: TokenID
        var result: TokenID
    }

    /// By rank.
    private var merges: [Merge] = []
    /// Upper half of the pair's hash, and the rank + 1; 0 is free.
    private var slots: [UInt64] = []
    private var mask = 0

    init(_ metadata: Metadata, _ vocabulary: Vocabulary) throws(TokenizerError) {
        let texts = try reading { () throws(GGUFError) in try metadata.strings(Key.merges) }
        guard let texts else { throw TokenizerError(metadata, key: Key.merges, problem: "is missing") }
        var size = 16
        while size < texts.count * 2 { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
        mask = size - 1
        merges.reserveCapacity(texts.count)
        // The parts of an entry in the form in which tokens are looked up, one after the other.
        var parts: [UInt8] = []
        for index in 0..<texts.count {
            let split: Int? = texts.withBytes(index) { text in
                Self.read(text, vocabulary.spelling, into: &parts)
            }
            guard let split else {
                throw Self.error(metadata, texts, index, "is not two tokens separated by a space")
            }
            let span = parts.span
            guard let left = vocabulary.id(ofKey: span.extracting(0..<split)),
                let right = vocabulary.id(ofKey: span.extracting(split..<span.count)),
                let result = vocabulary.id(ofKey: span)
            else { throw Self.error(metadata, texts, index, "names something that is not a token") }
            insert(Merge(left: left, right: right, result: result))
        }
    }

    /// Reads the two parts of `text` into `parts`.
    /// - Returns: Where the second one starts.
    private static func read(_ text: Span<UInt8>, _ spelling: Vocabulary.Spelling, into parts: inout [UInt8]) -> Int? {
        parts.removeAll(keepingCapacity: true)
        var space = 1
        while space < text.count, text[space] != UInt8(ascii: " ") { space += 1 }
        guard space + 1 < text.count else { return nil }
        if case .byteLevel = spelling {
            guard ByteLevel.decode(text.extracting(0..<space), into: &parts) else { return nil }
            let split = parts.count
            guard ByteLevel.decode(text.extracting(space + 1..<text.count), into: &parts) else { return nil }
            return split
        }
        for index in 0..<space { parts.append(text[index]) }
        for index in space + 1..<text.count { parts.append(text[index]) }
        return space
    }

    private static func error(
        _ metadata: Metadata, _ texts: StringTable, _ index: Int, _ problem: String
    ) -> TokenizerError {
        let text = String(texts.string(index).prefix(60)).debugDescription
        return TokenizerError(metadata, key: Key.merges, problem: "entry \(index) \(text) \(problem)")
    }

    /// Of equal pairs the first counts.
    private mutating func insert(_ merge: Merge) {
        let rank = merges.count
        merges.append(merge)
        let hash = Self.hash(merge.left, merge.right)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
                let other = merges[Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1]
                if other.left == merge.left, other.right == merge.right { return }
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = hash & ~0xFFFF_FFFF | UInt64(rank + 1)
    }

    /// Rank << 32 | resulting token; `MergeRule.none` if the pair does not merge.
    @inline(__always)
    func find(_ left: TokenID, _ right: TokenID) -> UInt64 {
        let hash = Self.hash(left, right)
        let slots = slots.span
        let merges = merges.span
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return .max }
            if entry >> 32 == hash >> 32 {
                let rank = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
                let merge = merges[rank]
                if merge.left == left, merge.right == right {
                    return UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merge.result))
                }
            }
            slot = (slot + 1) & mask
        }
    }

    @inline(__always)
    private static func hash(_ left: TokenID, _ right: TokenID) -> UInt64 {
        ByteHash.mix(UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right)))
    }
}
