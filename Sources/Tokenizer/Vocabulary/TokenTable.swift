/// Finds tokens by their bytes: open addressing over strings that are kept elsewhere.
struct TokenTable: Sendable {
    /// Upper half of the hash, and the id + 1; 0 is free.
    private var slots: [UInt64]
    private let mask: Int

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
        mask = size - 1
    }

    /// The id of `string` among `strings`.
    @inline(__always)
    func find(_ string: Span<UInt8>, in strings: ByteStrings) -> TokenID? {
        find(string, hash: ByteHash.hash(string), in: strings)
    }

    @inline(__always)
    func find(_ string: Span<UInt8>, hash: UInt64, in strings: ByteStrings) -> TokenID? {
        let slots = slots.span
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry >> 32 == hash >> 32 {
                let id = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) - 1
                if areEqual(strings[id], string) { return TokenID(id) }
            }
            slot = (slot + 1) & mask
        }
    }

    /// Adds string `id`; of equal strings the last counts.
    /// - Returns: Whether there was an equal one.
    mutating func insert(_ id: Int, of strings: ByteStrings) -> Bool {
        let string = strings[id]
        let hash = ByteHash.hash(string)
        let entry = hash & ~0xFFFF_FFFF | UInt64(id + 1)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32 {
                let other = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
                if areEqual(strings[other], string) {
                    slots[slot] = entry
                    return true
                }
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = entry
        return false
    }
}
