// Weights in runs of eight from a codebook of -1, 0, 1, shifted by an eighth up or down.

private let grid = Grid(formatID: 19, runLength: 8, values: [-1, 0, 1])

extension Format {
    /// Groups of 32 with one shift each: `w = d * (2 s + 1) * (grid ± 1/8)`.
    package static let iq1_s = Format(
        id: 19, name: "IQ1_S", blockLength: 256, blockBytes: 50, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let high = Int(bytes.uint16(at: 34 + i / 32 * 2))
            let scale = d * Float(2 * (high >> 12 & 7) + 1)
            let shift: Float = high >> 15 == 0 ? 0.125 : -0.125
            let run = Int(bytes[2 + i / 8]) | (high >> (i / 8 % 4 * 3) & 7) << 8
            out[i] = scale * (Float(grid[run, i % 8]) + shift)
        }
    }

    /// Groups of 16, a shift per run: `w = d * (2 s + 1) * (grid ± 1/8)`.
    package static let iq1_m = Format(
        id: 29, name: "IQ1_M", blockLength: 256, blockBytes: 56, groups: Groups(of: 16),
        scales: [.spreadHalf(at: 48)]
    ) { bytes, out in
        // The top four bits of the four words of scales are the binary16 d, lowest first.
        var bits: UInt16 = 0
        for word in 0..<4 { bits |= UInt16(bytes[49 + 2 * word] >> 4) << (4 * word) }
        let d = Float(Float16(bitPattern: bits))
        for i in 0..<256 {
            let group = i / 16
            let scale = d * Float(2 * (bytes.uint16(at: 48 + group / 4 * 2) >> (group % 4 * 3) & 7) + 1)
            let high = bytes.bits(4, i / 8, at: 32)
            let shift: Float = high >> 3 == 0 ? 0.125 : -0.125
            let run = Int(bytes[i / 8]) | (high & 7) << 8
            out[i] = scale * (Float(grid[run, i % 8]) + shift)
        }
    }
}
