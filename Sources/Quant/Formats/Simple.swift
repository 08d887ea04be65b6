// Formats with one scale (and one offset) per block and codes of four, five or eight bits. Nibbles are split in
// halves: the low ones hold the first half of the block's weights, the high ones the second.

extension Format {
    /// Four bits around zero: `w = d * (q - 8)`.
    package static let q4_0 = Format(
        id: 2, name: "Q4_0", blockLength: 32, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            out[i] = d * Float(bytes.bits(4, of: 2 + i % 16, shift: i / 16 * 4) - 8)
        }
    }

    /// Four bits above an offset: `w = d * q + m`.
    package static let q4_1 = Format(
        id: 3, name: "Q4_1", blockLength: 32, blockBytes: 20, groups: Groups(of: 32, hasMinimum: true),
        scales: [.half(at: 0), .half(at: 2)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        let m = bytes.half(at: 2)
        for i in 0..<32 {
            out[i] = d * Float(bytes.bits(4, of: 4 + i % 16, shift: i / 16 * 4)) + m
        }
    }

    /// Five bits around zero: `w = d * (q - 16)`.
    package static let q5_0 = Format(
        id: 6, name: "Q5_0", blockLength: 32, blockBytes: 22, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            let q = bytes.bits(4, of: 6 + i % 16, shift: i / 16 * 4) | bytes.bits(1, i, at: 2) << 4
            out[i] = d * Float(q - 16)
        }
    }

    /// Five bits above an offset: `w = d * q + m`.
    package static let q5_1 = Format(
        id: 7, name: "Q5_1", blockLength: 32, blockBytes: 24, groups: Groups(of: 32, hasMinimum: true),
        scales: [.half(at: 0), .half(at: 2)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        let m = bytes.half(at: 2)
        for i in 0..<32 {
            let q = bytes.bits(4, of: 8 + i % 16, shift: i / 16 * 4) | bytes.bits(1, i, at: 4) << 4
            out[i] = d * Float(q) + m
        }
    }

    /// Eight bits: `w = d * q`.
    package static let q8_0 = Format(
        id: 8, name: "Q8_0", blockLength: 32, blockBytes: 34, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            out[i] = Float(bytes.int8(at: 2 + i)) * d
        }
    }

    /// One bit: `w = d` or `w = -d`.
    package static let q1_0 = Format(
        id: 41, name: "Q1_0", blockLength: 128, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<128 {
            out[i] = bytes.bits(1, i, at: 2) == 1 ? d : -d
        }
    }

    /// Two bits: `w = d * (q - 1)`.
    package static let q2_0 = Format(
        id: 42, name: "Q2_0", blockLength: 64, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<64 {
            out[i] = d * Float(bytes.bits(2, i, at: 2) - 1)
        }
    }
}
