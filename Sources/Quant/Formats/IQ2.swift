// Magnitudes in runs of eight from a codebook of 8, 25, 43, and signs.

private let magnitudes = [8, 25, 43]
private let gridXXS = Grid(formatID: 16, runLength: 8, values: magnitudes)
private let gridXS = Grid(formatID: 17, runLength: 8, values: magnitudes)
private let gridS = Grid(formatID: 22, runLength: 8, values: magnitudes)

extension Format {
    /// Groups of 32: `w = d * (s + 1/2) / 4 * ±grid`.
    package static let iq2_xxs = Format(
        id: 16, name: "IQ2_XXS", blockLength: 256, blockBytes: 66, groups: Groups(of: 32), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let group = 2 + i / 32 * 8
            let run = i / 8 % 4
            let signs = Int(bytes.uint32(at: group + 4))
            let scale = d * (0.5 + Float(signs >> 28)) * 0.25
            let sign: Float = evenSign(signs >> (7 * run) & 127, i % 8) == 0 ? 1 : -1
            out[i] = scale * Float(gridXXS[Int(bytes[group + run]), i % 8]) * sign
        }
    }

    /// Groups of 16: `w = d * (s + 1/2) / 4 * ±grid`.
    package static let iq2_xs = Format(
        id: 17, name: "IQ2_XS", blockLength: 256, blockBytes: 74, groups: Groups(of: 16), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let run = Int(bytes.uint16(at: 2 + i / 8 * 2))
            let scale = d * (0.5 + Float(bytes.bits(4, i / 16, at: 66))) * 0.25
            let sign: Float = evenSign(run >> 9, i % 8) == 0 ? 1 : -1
            out[i] = scale * Float(gridXS[run & 511, i % 8]) * sign
        }
    }

    /// Groups of 16 and all signs stored: `w = d * (s + 1/2) / 4 * ±grid`.
    package static let iq2_s = Format(
        id: 22, name: "IQ2_S", blockLength: 256, blockBytes: 82, groups: Groups(of: 16), scales: [.half(at: 0)]
    ) { bytes, out in
        let d = bytes.half(at: 0)
        for i in 0..<256 {
            let run = Int(bytes[2 + i / 8]) | bytes.bits(2, i / 8, at: 66) << 8
            let scale = d * (0.5 + Float(bytes.bits(4, i / 16, at: 74))) * 0.25
            let sign: Float = bytes.bits(1, i, at: 34) == 0 ? 1 : -1
            out[i] = scale * Float(gridS[run, i % 8]) * sign
        }
    }
}
