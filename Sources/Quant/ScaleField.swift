internal import CFormats

/// A floating-point field of a block that must be finite for the block's weights to be.
struct ScaleField: Sendable {
    /// Byte offset in the block.
    let offset: Int
    /// The field's number format.
    let kind: Kind

    enum Kind: Sendable {
        case binary16
        case bfloat16
        case binary32
        /// OCP E8M0, in which 255 is NaN.
        case e8m0
        /// High bytes of four 16-bit words whose top nibbles make up a binary16, lowest first: the exponent lies in
        /// the last and third nibble (IQ1_M).
        case spreadBinary16
    }

    static func half(at offset: Int) -> ScaleField { ScaleField(offset: offset, kind: .binary16) }
}
