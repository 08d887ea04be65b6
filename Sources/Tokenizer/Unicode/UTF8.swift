/// Reading UTF-8 that may be broken.
enum UTF8Bytes {
    static let replacement: UInt32 = 0xFFFD

    /// The scalar that starts at `index` and its length in bytes. A byte that starts no well-formed scalar is one byte long and
    /// stands for U+FFFD.
    @inline(__always)
    static func scalar(in bytes: Span<UInt8>, at index: Int) -> (value: UInt32, length: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        return multibyte(in: bytes, at: index, first)
    }

    private static func multibyte(in bytes: Span<UInt8>, at index: Int, _ first: UInt8) -> (value: UInt32, length: Int)
    {
        let left = bytes.count - index
        func next(_ offset: Int) -> UInt32? {
            let byte = bytes[index + offset]
            return byte & 0xC0 == 0x80 ? UInt32(byte & 0x3F) : nil
        }
        switch first {
        case 0xC2...0xDF where left >= 2:
            if let a = next(1) { return (UInt32(first & 0x1F) << 6 | a, 2) }
        case 0xE0...0xEF where left >= 3:
            if let a = next(1), let b = next(2) {
                let value = UInt32(first & 0x0F) << 12 | a << 6 | b
                if value >= 0x800, !(0xD800...0xDFFF).contains(value) { return (value, 3) }
            }
        case 0xF0...0xF4 where left >= 4:
            if let a = next(1), let b = next(2), let c = next(3) {
                let value = UInt32(first & 0x07) << 18 | a << 12 | b << 6 | c
                if (0x10000...0x10FFFF).contains(value) { return (value, 4) }
            }
        default: break
        }
        return (replacement, 1)
    }

    /// How many bytes a character takes by its first byte, whatever follows: the step of vocabularies that are not byte-level.
    @inline(__always)
    static func length(first: UInt8) -> Int {
        switch first >> 4 {
        case 0xC, 0xD: 2
        case 0xE: 3
        case 0xF: 4
        default: 1
        }
    }

    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case ..<0x80:
            bytes.append(UInt8(scalar))
        case ..<0x800:
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        default:
            bytes.append(UInt8(0xF0 | scalar >> 18))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }
}
