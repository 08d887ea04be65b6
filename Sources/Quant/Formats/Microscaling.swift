internal import Glibc

// Four-bit floats (E2M1) under a scale that is a small float itself.

/// Twice the value of each E2M1 code, so that all are integers; the scales below are halved in return.
let e2m1Doubled: [Float] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

extension Format {
    /// OCP MXFP4: 32 weights, a power of two (E8M0).
    package static let mxfp4 = Format(
        id: 39, name: "MXFP4", blockLength: 32, blockBytes: 17, groups: Groups(of: 32),
        scales: [.e8m0(at: 0)],
        encoder: { encodeMXFP4($0, into: &$1) }
    ) { bytes, out in
        let d = halfOfE8M0(bytes[0])
        for i in 0..<32 {
            out[i] = d * e2m1Doubled[bytes.bits(4, of: 1 + i % 16, shift: i / 16 * 4)]
        }
    }

    /// NVFP4: groups of 16 with an unsigned E4M3 scale.
    package static let nvfp4 = Format(
        id: 40, name: "NVFP4", blockLength: 64, blockBytes: 36, groups: Groups(of: 16),
        encoder: { encodeNVFP4($0, into: &$1) }
    ) { bytes, out in
        for i in 0..<64 {
            let q = bytes.bits(4, of: 4 + i / 16 * 8 + i % 8, shift: i / 8 % 2 * 4)
            out[i] = halfOfE4M3(bytes[i / 16]) * e2m1Doubled[q]
        }
    }
}

/// `2^(e - 128)`; the two smallest are subnormal in binary32.
func halfOfE8M0(_ e: UInt8) -> Float {
    Float(bitPattern: e < 2 ? 0x0020_0000 << UInt32(e) : UInt32(e - 1) << 23)
}

/// Half of an OCP E4M3 number without sign (the top bit is ignored). 0x7f, its NaN, stands for zero.
func halfOfE4M3(_ bits: UInt8) -> Float {
    let exponent = Int(bits >> 3 & 15)
    let mantissa = Float(bits & 7)
    if bits == 0x7f { return 0 }
    if exponent == 0 { return mantissa * 0x1p-10 }
    return (1 + mantissa / 8) * Float(sign: .plus, exponent: exponent - 8, significand: 1)
}

/// The E2M1 code whose value at a scale is nearest; the first of several.
private func nearestE2M1(_ x: Float, scale: Float) -> Int {
    var best = 0
    for code in 1..<16 where abs(scale * e2m1Doubled[code] - x) < abs(scale * e2m1Doubled[best] - x) { best = code }
    return best
}

/// The largest magnitude gets the exponent of 4, the second largest of E2M1 (OCP MX specification 1.0, section 6.3).
private func encodeMXFP4(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let largest = abs(Fit.extreme(values))
    let e = largest > 0 ? truncated(log2f(largest).rounded(.down) - 2 + 127, in: 0...254) : 0
    out[0] = UInt8(e)
    let d = halfOfE8M0(UInt8(e))
    for i in 0..<32 { out.put(nearestE2M1(values[i], scale: d), of: 1 + i % 16, shift: i / 16 * 4) }
}

/// The scale that makes the largest magnitude 6, the largest of E2M1, or the one below or above: whichever fits best.
private func encodeNVFP4(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    for g in 0..<4 {
        let x = values.extracting(g * 16..<(g + 1) * 16)
        let middle = Int(nearestE4M3(abs(Fit.extreme(x)) / 6))
        var best = (error: Float.infinity, bits: UInt8(0))
        for bits in max(middle - 1, 0)...min(middle + 1, 0x7e) {
            let d = halfOfE4M3(UInt8(bits))
            var error: Float = 0
            for i in x.indices {
                let difference = d * e2m1Doubled[nearestE2M1(x[i], scale: d)] - x[i]
                error += difference * difference
            }
            if error < best.error { best = (error, UInt8(bits)) }
        }
        out[g] = best.bits
        let d = halfOfE4M3(best.bits)
        for i in 0..<16 { out.put(nearestE2M1(x[i], scale: d), of: 4 + g * 8 + i % 8, shift: i / 8 * 4) }
    }
}

/// The bits of the nearest positive OCP E4M3 number, at most 448.
private func nearestE4M3(_ x: Float) -> UInt8 {
    if x < 0x1p-6 { return UInt8(truncated(x * 0x1p9 + 0.5, in: 0...8)) }
    // Round the mantissa to three bits; a carry goes into the exponent.
    let bits = (min(x, 448).bitPattern + (1 << 19)) >> 20
    return UInt8(min(bits - (120 << 3), 0x7e))
}
