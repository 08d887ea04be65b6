/// A Python `str`: text that is counted and indexed by code points.
///
/// It is held as UTF-8, so that comparing, hashing and searching work on bytes: the order of UTF-8 bytes is the order of code
/// points, and no normalisation happens.
struct Text: Sendable {
    /// Valid UTF-8.
    let bytes: [UInt8]
    /// Whether this is a `Markup`, the string type that `safe` and `escape` return: operators that join it with plain text escape
    /// the plain text.
    let isMarkup: Bool

    init(bytes: [UInt8], isMarkup: Bool = false) {
        self.bytes = bytes
        self.isMarkup = isMarkup
    }

    init(bytes: ArraySlice<UInt8>, isMarkup: Bool = false) {
        self.init(bytes: Array(bytes), isMarkup: isMarkup)
    }

    init(_ string: String) {
        self.init(bytes: Array(string.utf8))
    }

    init(_ scalar: Unicode.Scalar) {
        var bytes: [UInt8] = []
        bytes.append(scalar)
        self.init(bytes: bytes)
    }

    init(scalars: some Sequence<Unicode.Scalar>, isMarkup: Bool = false) {
        var bytes: [UInt8] = []
        for scalar in scalars { bytes.append(scalar) }
        self.init(bytes: bytes, isMarkup: isMarkup)
    }

    /// The same characters as plain text or as markup.
    func marked(_ isMarkup: Bool) -> Text { Text(bytes: bytes, isMarkup: isMarkup) }

    /// About what a text takes besides its bytes.
    static let overhead = 48

    var isEmpty: Bool { bytes.isEmpty }
    var string: String { String(decoding: bytes, as: UTF8.self) }
    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// The number of code points.
    var count: Int {
        var continuation = 0
        for byte in bytes { continuation &+= byte & 0xC0 == 0x80 ? 1 : 0 }
        return bytes.count - continuation
    }
}

extension Array {
    /// The elements of several arrays with a separator between each two, in one pass over whole arrays.
    init(joining parts: some Collection<[Element]>, separator: [Element] = []) {
        self.init()
        reserveCapacity(parts.reduce(0) { $0 + $1.count } + separator.count * Swift.max(0, parts.count - 1))
        var isFirst = true
        for part in parts {
            if !isFirst { self += separator }
            self += part
            isFirst = false
        }
    }

    /// `elements`, `count` times, by doubling.
    init(repeating elements: [Element], count: Int) {
        self.init()
        guard count > 0, !elements.isEmpty else { return }
        let total = elements.count * count
        reserveCapacity(total)
        self += elements
        while self.count < total { self += self[..<Swift.min(self.count, total - self.count)] }
    }
}

extension Text: Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    init(stringLiteral value: String) { self.init(value) }
    static func == (a: Text, b: Text) -> Bool { a.bytes == b.bytes }
    static func < (a: Text, b: Text) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
    var description: String { string }
}

// MARK: - Code points

extension Text {
    /// The code points, in order.
    struct Scalars: Sequence, IteratorProtocol {
        fileprivate let bytes: [UInt8]
        /// The byte offset of the next code point.
        private(set) var offset = 0

        fileprivate init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func next() -> Unicode.Scalar? {
            guard offset < bytes.count else { return nil }
            let (scalar, length) = bytes.scalar(at: offset)
            offset += length
            return scalar
        }
    }

    var scalars: Scalars { Scalars(bytes: bytes) }

    /// The byte offset of code point `index`, which is in `0...count`.
    func byteOffset(of index: Int) -> Int {
        var remaining = index
        var offset = 0
        while remaining > 0, offset < bytes.count {
            offset += bytes.scalarLength(at: offset)
            remaining -= 1
        }
        return offset
    }

    /// The index of the code point that begins at byte `offset`.
    func scalarIndex(ofByte offset: Int) -> Int {
        bytes[..<offset].count { $0 & 0xC0 != 0x80 }
    }

    /// The code points of a range that lies within `0..<count`.
    func slice(_ range: Range<Int>) -> Text {
        if isASCII { return Text(bytes: bytes[range], isMarkup: isMarkup) }
        let start = byteOffset(of: range.lowerBound)
        var end = start
        for _ in range { end += bytes.scalarLength(at: end) }
        return Text(bytes: bytes[start..<end], isMarkup: isMarkup)
    }

    /// Each code point as a plain text of its own.
    var characters: [Text] {
        var result: [Text] = []
        result.reserveCapacity(bytes.count)
        var offset = 0
        while offset < bytes.count {
            let length = bytes.scalarLength(at: offset)
            result.append(Text(bytes: bytes[offset..<offset + length]))
            offset += length
        }
        return result
    }
}

extension Array where Element == UInt8 {
    mutating func append(_ scalar: Unicode.Scalar) {
        if scalar.isASCII {
            append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            append(contentsOf: UTF8.encode(scalar).unsafelyNonNil)
        }
    }

    mutating func append(_ string: String) { append(contentsOf: string.utf8) }

    /// Bytes of the code point that begins at `offset`; the array is valid UTF-8.
    func scalarLength(at offset: Int) -> Int {
        switch self[offset] {
        case ..<0x80: 1
        case ..<0xE0: 2
        case ..<0xF0: 3
        default: 4
        }
    }

    /// The code point that begins at `offset`, and its length in bytes; the array is valid UTF-8.
    func scalar(at offset: Int) -> (Unicode.Scalar, length: Int) {
        let first = self[offset]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = scalarLength(at: offset)
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for byte in self[(offset + 1)..<Swift.min(offset + length, count)] { value = value << 6 | UInt32(byte & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }
}

extension Optional {
    /// For encodings that the type of their input makes total.
    fileprivate var unsafelyNonNil: Wrapped {
        guard let self else { preconditionFailure("every Unicode scalar has a UTF-8 encoding") }
        return self
    }
}
