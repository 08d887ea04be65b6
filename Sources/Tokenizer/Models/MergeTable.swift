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

    /// An entry of which the tokens are being looked up.
    private struct Pending {
        var result: TokenID
        /// Bytes of the left token within the result's.
        var split: Int
        var left: TokenTable.Key
        var right: TokenTable.Key
    }

    /// Entries that are looked up together: the loops over them are so short that the processor waits for the memory of many
    /// look-ups at once, not of one after the other.
    private static let batch = 256

    init(_ metadata: Metadata, _ vocabulary: Vocabulary) throws(TokenizerError) {
        let texts = try reading { () throws(GGUFError) in try metadata.strings(Key.merges) }
        guard let texts else { throw TokenizerError(metadata, key: Key.merges, problem: "is missing") }
        merges.reserveCapacity(texts.count)
        var parts: [UInt8] = []
        var result: TokenID = 0
        var pending: [Pending] = []
        pending.reserveCapacity(Self.batch)
        var start = 0
        while start < texts.count {
            let end = min(start + Self.batch, texts.count)
            pending.removeAll(keepingCapacity: true)
            for index in start..<end {
                let split: Int? = texts.withBytes(index) { text in
                    Self.read(text, vocabulary.spelling, into: &parts)
                }
                guard let split else {
                    throw Self.error(metadata, texts, index, "is not two tokens separated by a space")
                }
                let span = parts.span
                // In most files the results follow each other.
                if !Self.isKey(span, of: result, vocabulary) { result += 1 }
                if !Self.isKey(span, of: result, vocabulary) { result = vocabulary.id(ofKey: span) ?? -1 }
                guard result >= 0 else {
                    throw Self.error(metadata, texts, index, "makes something that is not a token")
                }
                pending.append(
                    Pending(
                        result: result, split: split, left: TokenTable.Key(span.extracting(0..<split)),
                        right: TokenTable.Key(span.extracting(split..<span.count))))
            }
            let first = merges.count
            for entry in pending {
                let left = vocabulary.keys[Int(entry.result)].extracting(0..<entry.split)
                merges.append(
                    Merge(
                        left: vocabulary.table.find(entry.left, left, in: vocabulary.keys) ?? -1, right: -1,
                        result: entry.result))
            }
            for (offset, entry) in pending.enumerated() {
                let bytes = vocabulary.keys[Int(entry.result)]
                let right = bytes.extracting(entry.split..<bytes.count)
                merges[first + offset].right = vocabulary.table.find(entry.right, right, in: vocabulary.keys) ?? -1
            }
            for index in start..<end where merges[index].left < 0 || merges[index].right < 0 {
                throw Self.error(metadata, texts, index, "merges something that is not a token")
            }
            start = end
        }
        var size = 16
        while size * 3 < merges.count * 5 { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
        mask = size - 1
        for rank in merges.indices { insert(rank) }
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
        parts.append(contentsOf: text.extracting(0..<space))
        parts.append(contentsOf: text.extracting(space + 1..<text.count))
        return space
    }

    private static func isKey(_ bytes: Span<UInt8>, of id: TokenID, _ vocabulary: Vocabulary) -> Bool {
        id >= 0 && id < vocabulary.count && areEqual(vocabulary.keys[Int(id)], bytes)
    }

    private static func error(
        _ metadata: Metadata, _ texts: StringTable, _ index: Int, _ problem: String
    ) -> TokenizerError {
        let text = String(texts.string(index).prefix(60)).debugDescription
        return TokenizerError(metadata, key: Key.merges, problem: "entry \(index) \(text) \(problem)")
    }

    /// Of equal pairs the first counts.
    @inline(__always)
    private mutating func insert(_ rank: Int) {
        let merge = merges[rank]
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

    /// Rank << 32 | resulting token; `UInt64.max` if the pair does not merge.
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
