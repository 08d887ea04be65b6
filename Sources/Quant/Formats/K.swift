// The K formats: 256 weights under one or two binary16 numbers, in groups whose scales (and minimums) are integers
// of four to eight bits.

extension Format {
    /// Two bits, groups of 16: `w = (d * s) * q - dmin * m`.
    package static let q2_k = Format(
        id: 10, name: "Q2_K", blockLength: 256, blockBytes: 84, groups: Groups(of: 16, hasMinimum: true),
        scales: [.half(at: 80), .half(at: 82)],
        encoder: { encodeQ2_K($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 80)
        let dmin = bytes.half(at: 82)
        for i in 0..<256 {
            let scale = d * Float(bytes.bits(4, of: i / 16, shift: 0))
            let minimum = dmin * Float(bytes.bits(4, of: i / 16, shift: 4))
            out[i] = scale * Float(pairOfBits(i, in: bytes, at: 16)) - minimum
        }
    }

    /// Three bits around zero, groups of 16: `w = (d * (s - 32)) * (q - 4)`.
    package static let q3_k = Format(
        id: 11, name: "Q3_K", blockLength: 256, blockBytes: 110, groups: Groups(of: 16), scales: [.half(at: 108)],
        encoder: { encodeQ3_K($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 108)
        for i in 0..<256 {
            let group = i / 16
            let low = bytes.bits(4, of: 96 + group % 8, shift: group / 8 * 4)
            let high = bytes.bits(2, of: 104 + group % 4, shift: group / 4 * 2)
            let scale = d * Float((low | high << 4) - 32)
            let q = pairOfBits(i, in: bytes, at: 32) | bytes.bits(1, of: i % 32, shift: i / 32) << 2
            out[i] = scale * Float(q - 4)
        }
    }

    /// Four bits, groups of 32: `w = (d * s) * q - dmin * m`.
    package static let q4_k = Format(
        id: 12, name: "Q4_K", blockLength: 256, blockBytes: 144, groups: Groups(of: 32, hasMinimum: true),
        scales: [.half(at: 0), .half(at: 2)],
        encoder: { encodeQ4_K($0, into: &$1) }
    ) { bytes, out in
        for i in 0..<256 {
            let (scale, minimum) = scaleAndMinimum(of: i / 32, in: bytes)
            out[i] = scale * Float(nibble(i, in: bytes, at: 16)) - minimum
        }
    }

    /// Five bits, groups of 32: `w = (d * s) * q - dmin * m`.
    package static let q5_k = Format(
        id: 13, name: "Q5_K", blockLength: 256, blockBytes: 176, groups: Groups(of: 32, hasMinimum: true),
        scales: [.half(at: 0), .half(at: 2)],
        encoder: { encodeQ5_K($0, into: &$1) }
    ) { bytes, out in
        for i in 0..<256 {
            let (scale, minimum) = scaleAndMinimum(of: i / 32, in: bytes)
            let q = nibble(i, in: bytes, at: 48) | bytes.bits(1, of: 16 + i % 32, shift: i / 32) << 4
            out[i] = scale * Float(q) - minimum
        }
    }

    /// Six bits around zero, groups of 16: `w = (d * s) * (q - 32)`.
    package static let q6_k = Format(
        id: 14, name: "Q6_K", blockLength: 256, blockBytes: 210, groups: Groups(of: 16), scales: [.half(at: 208)],
        encoder: { encodeQ6_K($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 208)
        for i in 0..<256 {
            let scale = d * Float(bytes.int8(at: 192 + i / 16))
            let low = bytes.bits(4, of: i / 128 * 64 + i % 64, shift: i / 64 % 2 * 4)
            out[i] = scale * Float((low | pairOfBits(i, in: bytes, at: 128) << 4) - 32)
        }
    }
}

/// Two bits of weight `i`: each half of the block has 32 bytes, each byte four weights that are 32 apart.
func pairOfBits(_ i: Int, in bytes: Span<UInt8>, at offset: Int) -> Int {
    bytes.bits(2, of: offset + i / 128 * 32 + i % 32, shift: i / 32 % 4 * 2)
}

/// Four bits of weight `i`: each quarter of the block has 32 bytes, each byte two weights that are 32 apart.
private func nibble(_ i: Int, in bytes: Span<UInt8>, at offset: Int) -> Int {
    bytes.bits(4, of: offset + i / 64 * 32 + i % 32, shift: i / 32 % 2 * 4)
}

/// Scale and minimum of a group of Q4_K and Q5_K.
///
/// Twelve bytes from offset 4 hold eight scales and eight minimums of six bits: bytes 0..3 and 4..7 have scales and
/// minimums of groups 0..3 in their low six bits; bytes 8..11 have the low four bits of scale and minimum of groups
/// 4..7, whose high two bits fill the first eight bytes.
private func scaleAndMinimum(of group: Int, in bytes: Span<UInt8>) -> (scale: Float, minimum: Float) {
    let s: Int
    let m: Int
    if group < 4 {
        s = bytes.bits(6, of: 4 + group, shift: 0)
        m = bytes.bits(6, of: 8 + group, shift: 0)
    } else {
        s = bytes.bits(4, of: 8 + group, shift: 0) | bytes.bits(2, of: group, shift: 6) << 4
        m = bytes.bits(4, of: 8 + group, shift: 4) | bytes.bits(2, of: 4 + group, shift: 6) << 4
    }
    return (bytes.half(at: 0) * Float(s), bytes.half(at: 2) * Float(m))
}
