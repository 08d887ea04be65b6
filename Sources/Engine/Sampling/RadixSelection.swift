/// Finds where a running sum of weights, taken in ascending order of their keys, reaches a limit, without sorting.
///
/// Three histograms narrow the key down by 11, 11 and 10 bits: linear in the number of items, whatever the keys are.
struct RadixSelection: Sendable {
    struct Crossing {
        /// The first key at which the weight of all items up to it reaches the limit.
        let key: UInt32
        /// The weight of the items before that key.
        let before: Double
    }

    private static let widths: [UInt64] = [11, 11, 10]

    private var keys: [UInt32] = []
    private var weights: [Float] = []
    private var sums = [Double](repeating: 0, count: 1 << 11)
    private var count = 0

    mutating func reserve(_ capacity: Int) {
        keys = Array(repeating: 0, count: capacity)
        weights = Array(repeating: 0, count: capacity)
    }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func append(key: UInt32, weight: Float) {
        keys[count] = key
        weights[count] = weight
        count &+= 1
    }

    /// Where the limit (> 0) is reached; the last key that has weight where rounding keeps the sum below it.
    mutating func crossing(_ limit: Double) -> Crossing {
        var prefix: UInt64 = 0
        var before = 0.0
        var shift: UInt64 = 32
        for width in Self.widths {
            accumulate(prefix: prefix, shift: shift, width: width)
            shift -= width
            var last = (bucket: 0, before: before)
            for bucket in 0..<(1 << Int(width)) where sums[bucket] > 0 {
                last = (bucket, before)
                before += sums[bucket]
                if before >= limit { break }
            }
            before = last.before
            prefix = prefix << width | UInt64(last.bucket)
        }
        return Crossing(key: UInt32(prefix), before: before)
    }

    /// Sums the weights of the items whose key starts with `prefix`, everything above bit `shift`, by the next `width` bits.
    private mutating func accumulate(prefix: UInt64, shift: UInt64, width: UInt64) {
        for bucket in 0..<(1 << Int(width)) { sums[bucket] = 0 }
        let mask = (1 << width) - 1 as UInt64
        for index in 0..<count {
            let key = UInt64(keys[index])
            guard key &>> shift == prefix else { continue }
            sums[Int(key &>> (shift &- width) & mask)] += Double(weights[index])
        }
    }
}
