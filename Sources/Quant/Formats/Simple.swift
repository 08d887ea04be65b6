// Formats with one scale (and one offset) per block and codes of four, five or eight bits. Nibbles are split in
// halves: the low ones hold the first half of the block's weights, the high ones the second.

extension Format {
    /// Four bits around zero: `w = d * (q - 8)`.
    package static let q4_0 = Format(
        id: 2, name: "Q4_0", blockLength: 32, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeAroundZero($0, bits: 4, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            out[i] = d * Float(bytes.bits(4, of: 2 + i % 16, shift: i / 16 * 4) - 8)
        }
    }

    /// Four bits above an offset: `w = d * q + m`.
    package static let q4_1 = Format(
        id: 3, name: "Q4_1", blockLength: 32, blockBytes: 20, groups: Groups(of: 32, hasMinimum: true),
        scales: [.half(at: 0), .half(at: 2)],
        encoder: { encodeAboveOffset($0, bits: 4, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 0)
        let m = bytes.half(at: 2)
        for i in 0..<32 {
            out[i] = d * Float(bytes.bits(4, of: 4 + i % 16, shift: i / 16 * 4)) + m
        }
    }

    /// Five bits around zero: `w = d * (q - 16)`.
    package static let q5_0 = Format(
        id: 6, name: "Q5_0", blockLength: 32, blockBytes: 22, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeAroundZero($0, bits: 5, into: &$1) }
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
        scales: [.half(at: 0), .half(at: 2)],
        encoder: { encodeAboveOffset($0, bits: 5, into: &$1) }
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
        id: 8, name: "Q8_0", blockLength: 32, blockBytes: 34, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeQ8_0($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<32 {
            out[i] = Float(bytes.int8(at: 2 + i)) * d
        }
    }

    /// One bit: `w = d` or `w = -d`.
    package static let q1_0 = Format(
        id: 41, name: "Q1_0", blockLength: 128, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeQ1_0($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<128 {
            out[i] = bytes.bits(1, i, at: 2) == 1 ? d : -d
        }
    }

    /// Two bits: `w = d * (q - 1)`.
    package static let q2_0 = Format(
        id: 42, name: "Q2_0", blockLength: 64, blockBytes: 18, groups: Groups(of: 32), scales: [.half(at: 0)],
        encoder: { encodeQ2_0($0, into: &$1) }
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<64 {
            out[i] = d * Float(bytes.bits(2, i, at: 2) - 1)
        }
    }
}

/// Q4_0 and Q5_0: the value of largest magnitude becomes the code that the range has below zero only.
private func encodeAroundZero(_ values: Span<Float>, bits: Int, into out: inout MutableSpan<UInt8>) {
    let top = 1 << (bits - 1)
    let d = Fit.extreme(values) / Float(-top)
    out.store(Float16(d), at: 0)
    let codes: InlineArray<32, UInt8> = Fit.truncated(
        values, scale: inverse(of: d), bias: Float(top) + 0.5, top: 2 * top - 1)
    out.put(codes.span, bits: bits, at: 2)
}

/// Q4_1 and Q5_1: the smallest value becomes code 0, the largest the top one.
private func encodeAboveOffset(_ values: Span<Float>, bits: Int, into out: inout MutableSpan<UInt8>) {
    let top = 1 << bits - 1
    var (low, high) = (values[0], values[0])
    for i in values.indices { (low, high) = (min(low, values[i]), max(high, values[i])) }
    let d = (high - low) / Float(top)
    out.store(Float16(d), at: 0)
    out.store(Float16(low), at: 2)
    let codes: InlineArray<32, UInt8> = Fit.truncated(values, low: low, scale: inverse(of: d), bias: 0.5, top: top)
    out.put(codes.span, bits: bits, at: 4)
}

private func encodeQ8_0(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let d = abs(Fit.extreme(values)) / 127
    out.store(Float16(d), at: 0)
    let codes: InlineArray<32, Int8> = Fit.awayFromZero(values, scale: inverse(of: d), top: 127)
    for i in values.indices { out[2 + i] = UInt8(bitPattern: codes[i]) }
}

/// The mean magnitude is the best scale for signs.
private func encodeQ1_0(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    var sum: Float = 0
    for i in values.indices { sum += abs(values[i]) }
    out.store(Float16(sum / Float(values.count)), at: 0)
    for i in values.indices {
        out.put(values[i] >= 0 ? 1 : 0, of: 2 + i / 8, shift: i % 8)
    }
}

/// The largest magnitude is the scale, as ternary weights have it: code 3, twice the scale, is not used.
private func encodeQ2_0(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let d = abs(Fit.extreme(values))
    let scale = inverse(of: d)
    out.store(Float16(d), at: 0)
    for i in values.indices {
        let q = truncated((values[i] * scale).rounded(.toNearestOrAwayFromZero), in: -1...1) + 1
        out.put(q, of: 2 + i / 4, shift: i % 4 * 2)
    }
}

extension MutableSpan where Element == UInt8 {
    /// Adds a block's codes of four or five bits: fifth bits first, where there are, then nibbles split in halves.
    fileprivate mutating func put(_ codes: Span<UInt8>, bits: Int, at offset: Int) {
        let half = codes.count / 2
        let nibbles = offset + (bits == 5 ? codes.count / 8 : 0)
        for i in 0..<half { self[nibbles + i] = codes[i] & 15 | codes[i + half] << 4 }
        guard bits == 5 else { return }
        for i in codes.indices { self[offset + i / 8] |= (codes[i] >> 4) << (i % 8) }
    }
}
