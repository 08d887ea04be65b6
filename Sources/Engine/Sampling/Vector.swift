import Glibc

/// Floats that are computed together. Every sum over a vocabulary runs in the same lanes and blocks, so it has the same bits wherever
/// it runs.
typealias Lanes = SIMD8<Float>

/// Vectors whose exponentials are summed as floats, each lane for itself, before the sum goes on in double precision.
let blockVectors = 32

extension SIMD8<Float> {
    /// The greatest lane.
    @inline(__always)
    var greatest: Float {
        var four = lowHalf
        four.replace(with: highHalf, where: highHalf .> four)
        var two = four.lowHalf
        two.replace(with: four.highHalf, where: four.highHalf .> two)
        return Swift.max(two[0], two[1])
    }
}

extension Span where Element == Float {
    /// Whole vectors, and one for the rest.
    var vectorCount: Int { (count + Lanes.scalarCount - 1) / Lanes.scalarCount }

    /// One vector of elements; minus infinity beyond the end.
    @inline(__always)
    func vector(_ vector: Int) -> Lanes {
        let start = vector &* Lanes.scalarCount
        if start &+ Lanes.scalarCount <= count {
            return unsafe bytes.unsafeLoadUnaligned(
                fromByteOffset: start &* MemoryLayout<Float>.stride, as: Lanes.self)
        }
        var lanes = Lanes(repeating: -.infinity)
        for lane in 0..<count - start { lanes[lane] = self[start + lane] }
        return lanes
    }

    /// The first index of the greatest element, NaN ignored; `nil` where none is above minus infinity.
    func indexOfMaximum() -> Int? {
        var best = -Float.infinity
        var bestBlock = 0
        for block in stride(from: 0, to: vectorCount, by: blockVectors) {
            var maxima = Lanes(repeating: -.infinity)
            for vector in block..<Swift.min(block + blockVectors, vectorCount) {
                let values = self.vector(vector)
                maxima.replace(with: values, where: values .> maxima)
            }
            if maxima.greatest > best {
                best = maxima.greatest
                bestBlock = block
            }
        }
        guard best > -.infinity else { return nil }
        return (bestBlock * Lanes.scalarCount..<count).first { self[$0] == best }
    }

    /// The log-softmax of one element; `nil` where no element is above minus infinity. NaN counts as minus infinity.
    package func logprob(of index: Int) -> Float? {
        guard let greatest = indexOfMaximum() else { return nil }
        return logprob(of: index, maximum: self[greatest])
    }

    /// The log-softmax of one element, given the greatest.
    func logprob(of index: Int, maximum: Float) -> Float {
        let maximum = usable(maximum)
        var total = 0.0
        for block in stride(from: 0, to: vectorCount, by: blockVectors) {
            var sums = Lanes.zero
            for vector in block..<Swift.min(block + blockVectors, vectorCount) {
                let x = self.vector(vector) - maximum
                // Above the greatest usable score is only plus infinity.
                sums += exponential(x.replacing(with: 0, where: x .> 0))
            }
            total += Double(sums.sum())
        }
        return usable(self[index]) - maximum - Float(log(total))
    }
}

/// The score that stands for a logit: minus infinity for NaN, the greatest finite number for plus infinity.
@inline(__always)
func usable(_ logits: Lanes) -> Lanes {
    logits
        .replacing(with: -.infinity, where: logits .!= logits)
        .replacing(with: .greatestFiniteMagnitude, where: logits .> .greatestFiniteMagnitude)
}

@inline(__always)
func usable(_ logit: Float) -> Float {
    logit.isNaN ? -.infinity : min(logit, .greatestFiniteMagnitude)
}

/// e^x for x ≤ 0 to about one unit in the last place; 0 for NaN and below -87, where the result would be subnormal.
///
/// Range reduction to |r| ≤ ln 2 / 2 and the polynomial of `expf` in S. L. Moshier's Cephes library. Own code instead of libm's so that
/// the bits do not depend on the machine's libm, and because it computes whole vectors.
@inline(__always)
func exponential(_ x: Lanes) -> Lanes {
    // Adding 1.5 * 2^23 rounds to the nearest integer, which then sits in the low bits.
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
    let exponent = unsafe unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &+ 127
    let scale = unsafe unsafeBitCast(exponent &<< 23, to: Lanes.self)
    return Lanes.zero.replacing(with: polynomial * scale, where: x .>= -87)
}
