/// Byte strings in one buffer of less than 4 GiB.
struct ByteStrings: Sendable {
    private(set) var bytes: [UInt8] = []
    private var starts: [UInt32] = [0]

    init(capacity: Int = 0, byteCapacity: Int = 0) {
        bytes.reserveCapacity(byteCapacity)
        starts.reserveCapacity(capacity + 1)
    }

    var count: Int { starts.count - 1 }

    /// The bytes of string `index`; they live as long as `self`.
    subscript(index: Int) -> Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span.extracting(Int(starts[index])..<Int(starts[index + 1])) }
    }

    func length(_ index: Int) -> Int { Int(starts[index + 1] - starts[index]) }

    mutating func append(_ string: Span<UInt8>) {
        bytes.append(contentsOf: string)
        starts.append(UInt32(bytes.count))
    }

    /// Appends the string that `body` adds to the end of the buffer.
    mutating func append(_ body: (inout [UInt8]) -> Void) {
        body(&bytes)
        starts.append(UInt32(bytes.count))
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
    static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    static func half(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}

@inline(__always)
func areEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    let count = a.count
    guard count == b.count else { return false }
    if count < 8 {
        for index in 0..<count where a[index] != b[index] { return false }
        return true
    }
    let a = unsafe a.bytes
    let b = unsafe b.bytes
    var offset = 0
    while offset + 8 < count {
        if ByteHash.word(a, offset) != ByteHash.word(b, offset) { return false }
        offset += 8
    }
    return ByteHash.word(a, count - 8) == ByteHash.word(b, count - 8)
}

extension [UInt8] {
    @inline(__always)
    mutating func append(contentsOf bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
