/// Finds tokens by their bytes: open addressing over strings that are kept elsewhere.
struct TokenTable: Sendable {
    /// Up to seven bytes and their number, which is most tokens, or a hash of more: equal hashes need a second look.
    struct Key: Equatable, Sendable {
        private let bits: UInt64

        @inline(__always)
        init(_ string: Span<UInt8>) {
            let count = string.count
            switch count {
            case 0: bits = 0
            case 1...3:
                let middle = count >> 1
                bits =
                    UInt64(count) << 56 | UInt64(string[0]) | UInt64(string[middle]) << UInt64(8 * middle)
                    | UInt64(string[count - 1]) << UInt64(8 * (count - 1))
            case 4...7:
                let bytes = unsafe string.bytes
                bits =
                    UInt64(count) << 56 | UInt64(ByteHash.half(bytes, 0))
                    | UInt64(ByteHash.half(bytes, count - 4)) << UInt64(8 * (count - 4))
            default: bits = ByteHash.hash(string) | 0xFF << 56
            }
        }

        @inline(__always)
        var isWhole: Bool { bits >> 56 != 0xFF }
        @inline(__always)
        var hash: Int { Int(truncatingIfNeeded: ByteHash.mix(bits)) }
    }

    private struct Slot: Sendable {
        var key: Key
        /// -1 where free.
        var id: TokenID
    }

    private var slots: [Slot]
    private let mask: Int

    init(capacity: Int) {
        var size = 16
        while size * 3 < capacity * 5 { size *= 2 }
        slots = [Slot](repeating: Slot(key: Key([UInt8]().span), id: -1), count: size)
        mask = size - 1
    }

    /// The id of `string` among `strings`.
    @inline(__always)
    func find(_ string: Span<UInt8>, in strings: ByteStrings) -> TokenID? { find(Key(string), string, in: strings) }

    /// - Parameter key: That of `string`.
    @inline(__always)
    func find(_ key: Key, _ string: Span<UInt8>, in strings: ByteStrings) -> TokenID? {
        let slots = slots.span
        var slot = key.hash & mask
        while true {
            let entry = slots[slot]
            if entry.id < 0 { return nil }
            if entry.key == key, key.isWhole || areEqual(strings[Int(entry.id)], string) { return entry.id }
            slot = (slot + 1) & mask
        }
    }

    /// Adds string `id`; of equal strings the last counts.
    /// - Returns: Whether there was an equal one.
    @inline(__always)
    mutating func insert(_ id: Int, of strings: ByteStrings) -> Bool {
        let string = strings[id]
        let key = Key(string)
        var slot = key.hash & mask
        while slots[slot].id >= 0 {
            if slots[slot].key == key, key.isWhole || areEqual(strings[Int(slots[slot].id)], string) {
                slots[slot].id = TokenID(id)
                return true
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = Slot(key: key, id: TokenID(id))
        return false
    }
}
