/// 256 weights on the way into a K format with minimums: small integers in place of group scales and minimums.
struct AffineBlock {
    /// Scale of the group scales and of the group minimums.
    private(set) var d: Float16 = 0
    private(set) var dmin: Float16 = 0
    private(set) var scales = InlineArray<16, Int>(repeating: 0)
    private(set) var minimums = InlineArray<16, Int>(repeating: 0)
    private(set) var codes = InlineArray<256, UInt8>(repeating: 0)

    /// - Parameters:
    ///   - values: 256 values.
    ///   - group: length of a group, 16 or 32.
    ///   - top: largest code.
    ///   - scaleTop: largest integer scale and minimum.
    ///   - flatness: what the weight of a value has of its group's root mean square, besides its own magnitude.
    init(
        _ values: Span<Float>, group: Int, top: Int, scaleTop: Int, flatness: Float, _ candidates: Candidates
    ) {
        let groups = values.count / group
        var fits = InlineArray<16, (scale: Float, minimum: Float)>(repeating: (0, 0))
        var weights = InlineArray<32, Float>(repeating: 0)
        for g in 0..<groups {
            let x = values.extracting(g * group..<(g + 1) * group)
            var squares: Float = 0
            for i in x.indices { squares += x[i] * x[i] }
            let base = flatness * (squares / Float(group)).squareRoot()
            for i in x.indices { weights[i] = base + abs(x[i]) }
            fits[g] = Fit.affine(x, weights: weights.span.extracting(first: group), top: top, candidates)
        }

        var largest: (scale: Float, minimum: Float) = (0, 0)
        for g in 0..<groups {
            largest = (max(largest.scale, fits[g].scale), max(largest.minimum, fits[g].minimum))
        }
        d = Float16(largest.scale / Float(scaleTop))
        dmin = Float16(largest.minimum / Float(scaleTop))
        var codes = self.codes.mutableSpan
        for g in 0..<groups {
            scales[g] = d == 0 ? 0 : rounded(fits[g].scale / Float(d), in: 0...scaleTop)
            minimums[g] = dmin == 0 ? 0 : rounded(fits[g].minimum / Float(dmin), in: 0...scaleTop)
            if scales[g] == 0 { continue }
            var out = codes._mutatingExtracting(g * group..<(g + 1) * group)
            Fit.codes(
                values.extracting(g * group..<(g + 1) * group), scale: Float(d) * Float(scales[g]),
                minimum: Float(dmin) * Float(minimums[g]), in: 0...top, into: &out)
        }
    }
}

/// 256 weights on the way into a K format around zero, groups of 16.
struct SymmetricBlock {
    /// Scale of the group scales.
    private(set) var d: Float16 = 0
    private(set) var scales = InlineArray<16, Int>(repeating: 0)
    /// Codes from 0 on: `top` stands for zero.
    private(set) var codes: InlineArray<256, UInt8>

    /// Codes are in `-top..<top`, group scales in `-scaleTop..<scaleTop`.
    init(_ values: Span<Float>, top: Int, scaleTop: Int, _ candidates: Candidates) {
        codes = InlineArray(repeating: UInt8(top))
        var fits = InlineArray<16, Float>(repeating: 0)
        var weights = InlineArray<16, Float>(repeating: 0)
        var largest: Float = 0
        for g in 0..<16 {
            let x = values.extracting(g * 16..<(g + 1) * 16)
            for i in x.indices { weights[i] = x[i] * x[i] }
            fits[g] = Fit.symmetric(x, weights: weights.span, top: top, candidates)
            if abs(fits[g]) > abs(largest) { largest = fits[g] }
        }

        // The range has one number more below zero than above: the largest scale goes there.
        d = Float16(largest / Float(-scaleTop))
        var codes = self.codes.mutableSpan
        for g in 0..<16 {
            scales[g] = d == 0 ? 0 : rounded(fits[g] / Float(d), in: -scaleTop...scaleTop - 1)
            if scales[g] == 0 { continue }
            var out = codes._mutatingExtracting(g * 16..<(g + 1) * 16)
            Fit.codes(
                values.extracting(g * 16..<(g + 1) * 16), scale: Float(d) * Float(scales[g]), in: -top...top - 1,
                into: &out)
        }
    }
}
