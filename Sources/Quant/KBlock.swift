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
    init(_ values: Span<Float>, group: Int, top: Int, scaleTop: Int, _ candidates: Candidates) {
        let groups = values.count / group
        var fits = InlineArray<16, (scale: Float, minimum: Float)>(repeating: (0, 0))
        var largest: (scale: Float, minimum: Float) = (0, 0)
        let weights: InlineArray<256, Float> = errorWeights(values, group: group)
        for g in 0..<groups {
            let range = g * group..<(g + 1) * group
            fits[g] = Fit.affine(
                values.extracting(range), weights: weights.span.extracting(range), top: top, candidates)
            largest = (max(largest.scale, fits[g].scale), max(largest.minimum, fits[g].minimum))
        }

        d = Float16(largest.scale / Float(scaleTop))
        dmin = Float16(largest.minimum / Float(scaleTop))
        var codes = self.codes.mutableSpan
        for g in 0..<groups {
            let range = g * group..<(g + 1) * group
            let x = values.extracting(range)
            let fit = Grouping(d: Float(d), dmin: Float(dmin), scaleTop: scaleTop, codes: 0...top)
                .nearest(to: fits[g], x, weights: weights.span.extracting(range))
            (scales[g], minimums[g]) = fit
            if fit.scale == 0 { continue }
            var out = codes._mutatingExtracting(range)
            Fit.codes(
                x, scale: Float(d) * Float(fit.scale), minimum: Float(dmin) * Float(fit.minimum), in: 0...top,
                into: &out)
        }
    }
}

/// What the groups of an ``AffineBlock`` share.
private struct Grouping {
    let d: Float
    let dmin: Float
    let scaleTop: Int
    let codes: ClosedRange<Int>

    /// Of the integers about a scale and a minimum, those with the least error: rounding each by itself is worse.
    func nearest(
        to fit: (scale: Float, minimum: Float), _ x: Span<Float>, weights: Span<Float>
    ) -> (scale: Int, minimum: Int) {
        let scale = d == 0 ? 0 : rounded(fit.scale / d, in: 0...scaleTop)
        let minimum = dmin == 0 ? 0 : rounded(fit.minimum / dmin, in: 0...scaleTop)
        var best = (scale: scale, minimum: minimum)
        if scale == 0 { return best }
        var least = Float.infinity
        for s in max(scale - 1, 1)...min(scale + 1, scaleTop) {
            for m in max(minimum - 1, 0)...(dmin == 0 ? 0 : min(minimum + 1, scaleTop)) {
                let error = Fit.error(
                    x, weights: weights, scale: d * Float(s), minimum: dmin * Float(m), in: codes)
                if error < least { (least, best) = (error, (s, m)) }
            }
        }
        return best
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
        let weights: InlineArray<256, Float> = errorWeights(values, group: 16)
        var largest: Float = 0
        for g in 0..<16 {
            let range = g * 16..<(g + 1) * 16
            fits[g] = Fit.symmetric(
                values.extracting(range), weights: weights.span.extracting(range), top: top, candidates)
            if abs(fits[g]) > abs(largest) { largest = fits[g] }
        }

        // The range has one number more below zero than above: the largest scale goes there.
        d = Float16(largest / Float(-scaleTop))
        if d == 0 { return }
        var codes = self.codes.mutableSpan
        for g in 0..<16 {
            let range = g * 16..<(g + 1) * 16
            let x = values.extracting(range)
            let middle = rounded(fits[g] / Float(d), in: -scaleTop...scaleTop - 1)
            var least = Float.infinity
            for s in max(middle - 1, -scaleTop)...min(middle + 1, scaleTop - 1) where s != 0 {
                let error = Fit.error(
                    x, weights: weights.span.extracting(range), scale: Float(d) * Float(s), in: -top...top - 1)
                if error < least { (least, scales[g]) = (error, s) }
            }
            if scales[g] == 0 { continue }
            var out = codes._mutatingExtracting(range)
            Fit.codes(x, scale: Float(d) * Float(scales[g]), in: -top...top - 1, into: &out)
        }
    }
}
