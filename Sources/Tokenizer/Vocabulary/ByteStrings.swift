/// Byte strings in one buffer.
struct ByteStrings: Sendable {
    private(set) var bytes: [UInt8] = []
    private var starts: [Int] = [0]

    init(capacity: Int = 0, byteCapacity: Int = 0) {
        bytes.reserveCapacity(byteCapacity)
        starts.reserveCapacity(capacity + 1)
    }

    var count: Int { starts.count - 1 }

    /// The bytes of string `index`; they live as long as `self`.
    subscript(index: Int) -> Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span.extracting(starts[index]..<starts[index + 1]) }
    }

    func length(_ index: Int) -> Int { starts[index + 1] - starts[index] }

    mutating func append(_ string: Span<UInt8>) {
        for index in string.indices { bytes.append(string[index]) }
        starts.append(bytes.count)
    }

    /// Appends the string that `body` adds to the end of the buffer.
    mutating func append<E: Error>(_ body: (inout [UInt8]) throws(E) -> Void) throws(E) {
        try body(&bytes)
        starts.append(bytes.count)
    }
}

/// A 64-bit hash of a byte string: the same in every run, so that nothing about a table depends on chance.
enum ByteHash {
    private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let factor2: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    @inline(__always)
    static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        let raw = unsafe bytes.bytes
        let count = raw.byteCount
        var hash = UInt64(truncatingIfNeeded: count) &* factor2
        if count >= 8 {
            var offset = 0
            while offset + 8 < count {
                hash = mix(hash ^ word(raw, offset))
                offset += 8
            }
            hash = mix(hash ^ word(raw, count - 8))
        } else if count >= 4 {
            hash = mix(hash ^ (UInt64(half(raw, 0)) << 32 | UInt64(half(raw, count - 4))))
        } else if count > 0 {
            let value = UInt64(bytes[0]) << 16 | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1])
            hash = mix(hash ^ value)
        }
        return hash
    }

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: factor)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private static func half(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}

@inline(__always)
func areEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for index in a.indices where a[index] != b[index] { return false }
    return true
}
