// Encoders of the K formats: see ``AffineBlock`` and ``SymmetricBlock`` for the search, the decoders for the layouts.

func encodeQ2_K(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let block = AffineBlock(
        values, group: 16, top: 3, scaleTop: 15, Candidates(first: -0.6, step: 0.2, count: 9))
    for g in 0..<16 { out[g] = UInt8(block.scales[g] | block.minimums[g] << 4) }
    out.put(pairsOfBits: block.codes.span, at: 16)
    out.store(block.d, at: 80)
    out.store(block.dmin, at: 82)
}

func encodeQ3_K(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let block = SymmetricBlock(values, top: 4, scaleTop: 32, Candidates(first: -0.9, step: 0.1, count: 19))
    for i in 0..<256 { out.put(Int(block.codes[i] >> 2), of: i % 32, shift: i / 32) }
    out.put(pairsOfBits: block.codes.span, at: 32)
    for g in 0..<16 {
        let scale = block.scales[g] + 32
        out.put(scale & 15, of: 96 + g % 8, shift: g / 8 * 4)
        out.put(scale >> 4, of: 104 + g % 4, shift: g / 4 * 2)
    }
    out.store(block.d, at: 108)
}

func encodeQ4_K(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let block = AffineBlock(
        values, group: 32, top: 15, scaleTop: 63, Candidates(first: -1, step: 0.2, count: 11))
    out.put(scalesOf: block)
    for i in 0..<256 { out.put(Int(block.codes[i]), of: 16 + i / 64 * 32 + i % 32, shift: i / 32 % 2 * 4) }
}

func encodeQ5_K(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let block = AffineBlock(
        values, group: 32, top: 31, scaleTop: 63, Candidates(first: -0.6, step: 0.2, count: 9))
    out.put(scalesOf: block)
    for i in 0..<256 {
        let code = Int(block.codes[i])
        out.put(code >> 4, of: 16 + i % 32, shift: i / 32)
        out.put(code & 15, of: 48 + i / 64 * 32 + i % 32, shift: i / 32 % 2 * 4)
    }
}

func encodeQ6_K(_ values: Span<Float>, into out: inout MutableSpan<UInt8>) {
    let block = SymmetricBlock(values, top: 32, scaleTop: 128, Candidates(first: -0.9, step: 0.1, count: 19))
    for i in 0..<256 {
        let code = Int(block.codes[i])
        out.put(code & 15, of: i / 128 * 64 + i % 64, shift: i / 64 % 2 * 4)
        out.put(code >> 4, of: 128 + i / 128 * 32 + i % 32, shift: i / 32 % 4 * 2)
    }
    for g in 0..<16 { out[192 + g] = UInt8(bitPattern: Int8(block.scales[g])) }
    out.store(block.d, at: 208)
}

extension MutableSpan where Element == UInt8 {
    /// Adds the low two bits of 256 codes in the layout that ``pairOfBits(_:in:at:)`` reads.
    fileprivate mutating func put(pairsOfBits codes: Span<UInt8>, at offset: Int) {
        for i in 0..<256 { put(Int(codes[i] & 3), of: offset + i / 128 * 32 + i % 32, shift: i / 32 % 4 * 2) }
    }

    /// Adds the first 16 bytes of Q4_K and Q5_K: d, dmin, eight scales and eight minimums of six bits.
    fileprivate mutating func put(scalesOf block: AffineBlock) {
        store(block.d, at: 0)
        store(block.dmin, at: 2)
        for g in 0..<4 {
            put(block.scales[g], of: 4 + g, shift: 0)
            put(block.minimums[g], of: 8 + g, shift: 0)
            put(block.scales[g + 4] & 15 | (block.minimums[g + 4] & 15) << 4, of: 12 + g, shift: 0)
            put(block.scales[g + 4] >> 4, of: 4 + g, shift: 6)
            put(block.minimums[g + 4] >> 4, of: 8 + g, shift: 6)
        }
    }
}
