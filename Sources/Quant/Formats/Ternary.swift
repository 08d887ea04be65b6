// Weights of -d, 0 and d.

extension Format {
    /// Five ternary digits to a byte: `w = d * (digit - 1)`.
    ///
    /// A byte is a fraction of 256 in base 3: digit `k` is the integer part of 3 times what is left of `3^k` times it.
    package static let tq1_0 = Format(
        id: 34, name: "TQ1_0", blockLength: 256, blockBytes: 54, groups: Groups(of: 32), scales: [.half(at: 52)]
    ) { bytes, out in
        let d = bytes.half(at: 52)
        // 32 bytes of five weights 32 apart, 16 of five weights 16 apart, 4 of four weights 4 apart.
        for (start, offset, width) in [(0, 0, 32), (160, 32, 16), (240, 48, 4)] {
            for i in start..<min(start + 5 * width, 256) {
                var rest = bytes[offset + (i - start) % width]
                for _ in 0..<(i - start) / width { rest = rest &* 3 }
                out[i] = d * Float(Int(rest) * 3 / 256 - 1)
            }
        }
    }

    /// Two bits: `w = d * (q - 1)`.
    package static let tq2_0 = Format(
        id: 35, name: "TQ2_0", blockLength: 256, blockBytes: 66, groups: Groups(of: 32), scales: [.half(at: 64)]
    ) { bytes, out in
        let d = bytes.half(at: 64)
        for i in 0..<256 {
            out[i] = d * Float(pairOfBits(i, in: bytes, at: 0) - 1)
        }
    }
}
