// Four bits that index sixteen unevenly spaced values, dense around zero.

/// Values of the codes.
let iq4Values: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

extension Format {
    /// One scale: `w = d * value[q]`.
    package static let iq4_nl = Format(
        id: 20, name: "IQ4_NL", blockLength: 32, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            out[i] = d * iq4Values[bytes.bits(4, of: 2 + i % 16, shift: i / 16 * 4)]
        }
    }

    /// Groups of 32 with six-bit scales: `w = (d * (s - 32)) * value[q]`.
    package static let iq4_xs = Format(
        id: 23, name: "IQ4_XS", blockLength: 256, blockBytes: 136, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let group = i / 32
            let s = bytes.bits(4, group, at: 4) | bytes.bits(2, group, at: 2) << 4
            let q = bytes.bits(4, of: 8 + group * 16 + i % 16, shift: i / 16 % 2 * 4)
            out[i] = d * Float(s - 32) * iq4Values[q]
        }
    }
}
