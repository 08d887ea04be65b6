/// What words became earlier in the same text: natural language repeats itself.
struct WordCache {
    private struct Entry {
        var hash: UInt64
        var key: Int
        var keyLength: Int
        var tokens: Int
        var tokenCount: Int
    }

    /// Longer words are rare and would fill the cache.
    static let longestWord = 48
    /// Where the cache starts anew: what it holds then still fits the second-level cache of a core.
    private static let limit = 1 << 15

    private var slots: [Int32] = [Int32](repeating: -1, count: 1 << 10)
    private var entries: [Entry] = []
    private var keys: [UInt8] = []
    private var tokens: [TokenID] = []

    /// Appends to `output` what `word` became.
    /// - Returns: Whether it is known.
    @inline(__always)
    func append(_ word: Span<UInt8>, _ hash: UInt64, to output: inout [TokenID]) -> Bool {
        let slots = slots.span
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash,
                areEqual(keys.span.extracting(entry.key..<entry.key + entry.keyLength), word)
            {
                for index in entry.tokens..<entry.tokens + entry.tokenCount { output.append(tokens[index]) }
                return true
            }
            slot = (slot + 1) & mask
        }
        return false
    }

    mutating func insert(_ word: Span<UInt8>, _ hash: UInt64, _ result: ArraySlice<TokenID>) {
        if entries.count == Self.limit { removeAll() }
        if entries.count * 2 >= slots.count { grow() }
        entries.append(
            Entry(
                hash: hash, key: keys.count, keyLength: word.count, tokens: tokens.count, tokenCount: result.count))
        for index in word.indices { keys.append(word[index]) }
        tokens += result
        place(entries.count - 1)
    }

    private mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        tokens.removeAll(keepingCapacity: true)
        for index in slots.indices { slots[index] = -1 }
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for index in entries.indices { place(index) }
    }

    private mutating func place(_ entry: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: entries[entry].hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(entry)
    }
}
