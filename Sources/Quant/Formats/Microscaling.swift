// Four-bit floats (E2M1) under a scale that is a small float itself.

/// Twice the value of each E2M1 code, so that all are integers; the scales below are halved in return.
let e2m1Doubled: [Float] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

extension Format {
    /// OCP MXFP4: 32 weights, a power of two (E8M0).
    package static let mxfp4 = Format(
        id: 39, name: "MXFP4", blockLength: 32, blockBytes: 17, groups: Groups(of: 32),
        scales: [.e8m0(at: 0)]
    ) { bytes, out in
        let d = halfOfE8M0(bytes[0])
        for i in 0..<32 {
            out[i] = d * e2m1Doubled[bytes.bits(4, of: 1 + i % 16, shift: i / 16 * 4)]
        }
    }

    /// NVFP4: groups of 16 with an unsigned E4M3 scale.
    package static let nvfp4 = Format(
        id: 40, name: "NVFP4", blockLength: 64, blockBytes: 36, groups: Groups(of: 16)
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
