// Weights of -d, 0 and d.

extension Format {
    /// Five ternary digits to a byte: `w = d * (digit - 1)`.
    ///
    /// A byte is a fraction of 256 in base 3: digit `k` is the integer part of 3 times what is left of `3^k` times it.
    package static let tq1_0 = Format(
        id: 34, name: "TQ1_0", blockLength: 256, blockBytes: 54, groups: Groups(of: 32), scales: [.half(at: 52)],
        encoder: { encodeTQ1_0($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 52)
        for i in 0..<256 {
            let (byte, digit) = placeOfDigit(i)
            var rest = bytes[byte]
            for _ in 0..<digit { rest = rest &* 3 }
            out[i] = d * Float(Int(rest) * 3 / 256 - 1)
        }
    }

    /// Two bits: `w = d * (q - 1)`.
    package static let tq2_0 = Format(
        id: 35, name: "TQ2_0", blockLength: 256, blockBytes: 66, groups: Groups(of: 32), scales: [.half(at: 64)],
        encoder: { encodeTQ2_0($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 64)
        for i in 0..<256 {
            out[i] = d * Float(pairOfBits(i, in: bytes, at: 0) - 1)
        }
    }
}

/// Where TQ1_0 has weight `i`: 32 bytes have five weights 32 apart each, 16 five that are 16 apart, 4 four 4 apart.
private func placeOfDigit(_ i: Int) -> (byte: Int, digit: Int) {
    if i < 160 { return (i % 32, i / 32) }
    if i < 240 { return (32 + i % 16, (i - 160) / 16) }
    return (48 + i % 4, (i - 240) / 4)
}

/// Digits 0, 1, 2 of all values; the largest magnitude is the scale.
private func ternary(_ values: Span<Float>) -> (d: Float16, digits: InlineArray<256, Int>) {
    let d = abs(Fit.extreme(values))
    let scale = inverse(of: d)
    var digits = InlineArray<256, Int>(repeating: 0)
    for i in values.indices {
        digits[i] = truncated((values[i] * scale).rounded(.toNearestOrAwayFromZero), in: -1...1) + 1
    }
    return (Float16(d), digits)
}

private func encodeTQ1_0(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let (d, digits) = ternary(values)
    var numbers = InlineArray<52, Int>(repeating: 0)
    for i in 0..<256 {
        let (byte, digit) = placeOfDigit(i)
        numbers[byte] += digits[i] * [81, 27, 9, 3, 1][digit]
    }
    // Rounded up, so that every digit is the integer part of what decoding multiplies out.
    for byte in 0..<52 { out[byte] = UInt8((numbers[byte] * 256 + 242) / 243) }
    out.store(d, at: 52)
}

private func encodeTQ2_0(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let (d, digits) = ternary(values)
    for i in 0..<256 { out.put(digits[i], of: i / 128 * 32 + i % 32, shift: i / 32 % 4 * 2) }
    out.store(d, at: 64)
}
