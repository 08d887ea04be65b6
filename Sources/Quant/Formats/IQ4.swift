// Four bits that index sixteen unevenly spaced values, dense around zero.

/// Values of the codes.
let iq4Values: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

extension Format {
    /// One scale: `w = d * value[q]`.
    package static let iq4_nl = Format(
        id: 20, name: "IQ4_NL", blockLength: 32, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeIQ4_NL($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            out[i] = d * iq4Values[bytes.bits(4, of: 2 + i % 16, shift: i / 16 * 4)]
        }
    }

    /// Groups of 32 with six-bit scales: `w = (d * (s - 32)) * value[q]`.
    package static let iq4_xs = Format(
        id: 23, name: "IQ4_XS", blockLength: 256, blockBytes: 136, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeIQ4_XS($0, into: &$1) }
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

private let candidates = Candidates(first: -7, step: 2, count: 8)

/// The best scale of 32 values.
private func iq4Scale(_ values: Span<Float>) -> Float {
    let weights: InlineArray<32, Float> = errorWeights(values, group: 32)
    return Fit.values(values, weights: weights.span, iq4Values, candidates)
}

/// Adds the codes of 32 values at a scale.
private func put(_ values: Span<Float>, scale: Float, in out: inout MutableSpan<UInt8>, at offset: Int) {
    var codes = InlineArray<32, UInt8>(repeating: 0)
    var span = codes.mutableSpan
    Fit.nearest(values, iq4Values, scale: scale, into: &span)
    for i in 0..<32 { out.put(Int(codes[i]), of: offset + i % 16, shift: i / 16 * 4) }
}

private func encodeIQ4_NL(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let d = Float16(iq4Scale(values))
    out.store(d, at: 0)
    put(values, scale: Float(d), in: &out, at: 2)
}

private func encodeIQ4_XS(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    var fits = InlineArray<8, Float>(repeating: 0)
    var largest: Float = 0
    for g in 0..<8 {
        fits[g] = iq4Scale(values.extracting(g * 32..<(g + 1) * 32))
        if abs(fits[g]) > abs(largest) { largest = fits[g] }
    }
    let d = Float16(largest / -32)
    out.store(d, at: 0)
    for g in 0..<8 {
        let s = d == 0 ? 0 : rounded(fits[g] / Float(d), in: -32...31)
        out.put((s + 32) & 15, of: 4 + g / 2, shift: g % 2 * 4)
        out.put((s + 32) >> 4, of: 2 + g / 4, shift: g % 4 * 2)
        put(values.extracting(g * 32..<(g + 1) * 32), scale: Float(d) * Float(s), in: &out, at: 8 + 16 * g)
    }
}
