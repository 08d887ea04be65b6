import Glibc

/// Sixteen floats at a time. Every sum over a vocabulary runs in the same lanes and blocks, so it has the same bits wherever it runs.
typealias Lanes = SIMD16<Float>

/// Floats whose exponentials are summed before the sum is stored: see ``Candidates/draw(_:)``.
let blockLength = 1024

extension Span where Element == Float {
    /// Sixteen floats from `index` on; minus infinity beyond the end.
    @inline(__always)
    func lanes(at index: Int) -> Lanes {
        if index &+ Lanes.scalarCount <= count {
            return unsafe bytes.unsafeLoadUnaligned(
                fromByteOffset: index &* MemoryLayout<Float>.stride, as: Lanes.self)
        }
        var lanes = Lanes(repeating: -.infinity)
        for lane in 0..<Swift.max(count &- index, 0) { lanes[lane] = self[index &+ lane] }
        return lanes
    }

    /// The first index of the greatest element, NaN ignored; `nil` where none is above minus infinity.
    func indexOfMaximum() -> Int? {
        var best = -Float.infinity
        var bestBlock = 0
        for block in stride(from: 0, to: count, by: blockLength) {
            let maximum = maximum(block..<Swift.min(block + blockLength, count))
            if maximum > best {
                best = maximum
                bestBlock = block
            }
        }
        guard best > -.infinity else { return nil }
        return (bestBlock..<count).first { self[$0] == best }
    }

    /// The greatest element, NaN ignored.
    func maximum() -> Float { maximum(0..<count) }

    @inline(__always)
    private func maximum(_ range: Range<Int>) -> Float {
        var maxima = Lanes(repeating: -.infinity)
        for index in stride(from: range.lowerBound, to: range.upperBound, by: Lanes.scalarCount) {
            let values = lanes(at: index)
            maxima.replace(with: values, where: values .> maxima)
        }
        return maxima.max()
    }

    /// The log-softmax of one element, given the greatest.
    func logprob(of index: Int, maximum: Float) -> Float {
        usable(self[index]) - logSumExp(maximum: maximum)
    }

    /// The logarithm of the sum of exponentials, given the greatest element; NaN counts as minus infinity.
    func logSumExp(maximum: Float) -> Float {
        var total = 0.0
        for block in stride(from: 0, to: count, by: blockLength) {
            var sums = SIMD16<Double>.zero
            for index in stride(from: block, to: Swift.min(block + blockLength, count), by: Lanes.scalarCount) {
                sums += SIMD16<Double>(exponential(usable(lanes(at: index)) - usable(maximum)))
            }
            total += sums.sum()
        }
        return usable(maximum) + Float(log(total))
    }
}

/// The score that stands for a logit: NaN is impossible, plus infinity the greatest finite number.
@inline(__always)
func usable(_ logits: Lanes) -> Lanes {
    logits
        .replacing(with: -.infinity, where: logits .!= logits)
        .replacing(with: .greatestFiniteMagnitude, where: logits .> .greatestFiniteMagnitude)
}

@inline(__always)
func usable(_ logit: Float) -> Float {
    logit.isNaN ? -.infinity : Swift.min(logit, .greatestFiniteMagnitude)
}

/// e^x for x ≤ 0 to about one unit in the last place; 0 below -87, where the result would be subnormal.
///
/// Range reduction to |r| ≤ ln 2 / 2 and the polynomial of `expf` in S. L. Moshier's Cephes library. Own code instead of libm's so that
/// the bits do not depend on the machine's libm, and because it runs sixteen wide.
@inline(__always)
func exponential(_ x: Lanes) -> Lanes {
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, which then sits in the low bits.
    let shifter = Lanes(repeating: 12_582_912)
    let shifted = x * 1.442_695_04 + shifter
    let power = shifted - shifter
    let r = x - power * 0.693_359_375 + power * 2.121_944_4e-4
    var polynomial = r * 1.987_569_15e-4 + 1.398_199_950_7e-3
    polynomial = polynomial * r + 8.333_451_907_3e-3
    polynomial = polynomial * r + 4.166_579_589_4e-2
    polynomial = polynomial * r + 1.666_666_545_9e-1
    polynomial = polynomial * r + 5.000_000_120_1e-1
    polynomial = polynomial * (r * r) + r + 1
    let exponent = unsafe unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &+ 127
    let scale = unsafe unsafeBitCast(exponent &<< 23, to: Lanes.self)
    return (polynomial * scale).replacing(with: 0, where: x .< -87)
}
