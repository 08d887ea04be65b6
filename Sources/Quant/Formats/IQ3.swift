// Magnitudes in runs of four from a codebook of eight values, and signs.

private let gridXXS = Grid(formatID: 18, runLength: 4, values: [4, 12, 20, 28, 36, 44, 52, 62])
private let gridS = Grid(formatID: 21, runLength: 4, values: [1, 3, 5, 7, 9, 11, 13, 15])

extension Format {
    /// Groups of 32: `w = d * (s + 1/2) / 2 * ±grid`.
    package static let iq3_xxs = Format(
        id: 18, name: "IQ3_XXS", blockLength: 256, blockBytes: 98, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let signs = Int(bytes.uint32(at: 66 + i / 32 * 4))
            let scale = d * (0.5 + Float(signs >> 28)) * 0.5
            let sign: Float = evenSign(signs >> (i / 8 % 4 * 7) & 127, i % 8) == 0 ? 1 : -1
            out[i] = scale * Float(gridXXS[Int(bytes[2 + i / 4]), i % 4]) * sign
        }
    }

    /// Groups of 32 and all signs stored: `w = d * (2 s + 1) * ±grid`.
    package static let iq3_s = Format(
        id: 21, name: "IQ3_S", blockLength: 256, blockBytes: 110, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let run = Int(bytes[2 + i / 4]) | bytes.bits(1, i / 4, at: 66) << 8
            let scale = d * Float(1 + 2 * bytes.bits(4, i / 32, at: 106))
            let sign: Float = bytes.bits(1, i, at: 74) == 0 ? 1 : -1
            out[i] = scale * Float(gridS[run, i % 4]) * sign
        }
    }
}
