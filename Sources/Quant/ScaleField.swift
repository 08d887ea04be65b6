internal import CFormats

/// A floating-point field of a block. The block's weights are finite only where the bits of its exponent are not all
/// ones.
struct ScaleField: Sendable {
    /// Byte offset of the little-endian word that holds the exponent.
    private let offset: Int
    private let width: Width
    /// The exponent's bits in the word.
    private let exponent: UInt32

    private enum Width {
        case byte, two, four
    }

    private init(offset: Int, width: Width, exponent: UInt32) {
        self.offset = offset
        self.width = width
        self.exponent = exponent
    }

    /// IEEE 754 binary16.
    static func half(at offset: Int) -> ScaleField { ScaleField(offset: offset, width: .two, exponent: 0x7c00) }
    /// bfloat16 element.
    static let bfloat16 = ScaleField(offset: 0, width: .two, exponent: 0x7f80)
    /// IEEE 754 binary32 element.
    static let binary32 = ScaleField(offset: 0, width: .four, exponent: 0x7f80_0000)
    /// IEEE 754 binary64 element.
    static let binary64 = ScaleField(offset: 4, width: .four, exponent: 0x7ff0_0000)
    /// OCP E8M0, in which 255 is NaN.
    static func e8m0(at offset: Int) -> ScaleField { ScaleField(offset: offset, width: .byte, exponent: 0xff) }
    /// A binary16 whose nibbles are the top ones of four words, lowest first. The exponent is in the last two.
    static func spreadHalf(at offset: Int) -> ScaleField {
        ScaleField(offset: offset + 4, width: .four, exponent: 0x7000_c000)
    }

    /// The first of `count` blocks, `stride` bytes each, whose field is not finite; `count` if there is none.
    func firstNonFinite(in bytes: RawSpan, count: Int, stride: Int) -> Int {
        unsafe bytes.withUnsafeBytes { bytes in
            let base = unsafe bytes.assumingMemoryBound(to: UInt8.self).baseAddress
            return switch width {
            case .byte: unsafe format_find_ones_8(base, count, stride, offset, UInt8(exponent))
            case .two: unsafe format_find_ones_16(base, count, stride, offset, UInt16(exponent))
            case .four: unsafe format_find_ones_32(base, count, stride, offset, exponent)
            }
        }
    }
}

extension Format {
    /// Index of the first block whose scale, minimum or plain number is Inf or NaN; `nil` where all are finite.
    ///
    /// Reads only those fields, at about the speed of memory. A partial block at the end is not looked at.
    package func firstNonFiniteBlock(in bytes: RawSpan) -> Int? {
        let count = bytes.byteCount / blockBytes
        var first = count
        for field in scales {
            first = field.firstNonFinite(in: bytes, count: first, stride: blockBytes)
        }
        return first < count ? first : nil
    }
}
