/// Finds where a running sum of weights, taken in ascending order of their keys, reaches a limit, without sorting.
///
/// Three histograms narrow the key down by 11, 11 and 10 bits: linear in the number of items, whatever the keys are.
struct RadixSelection: ~Copyable {
    struct Crossing {
        /// The first key at which the weight of all items up to it reaches the limit.
        let key: UInt32
        /// The weight of the items before that key.
        let before: Double
        /// Whether the sum reached the limit, in each of its digits.
        let isReached: Bool
    }

    private var keys = LaneBuffer<UInt32>(capacity: 0)
    private var weights = LaneBuffer<Float>(capacity: 0)
    private var sums = [Double](repeating: 0, count: 1 << 11)
    private var count = 0

    init() {}

    mutating func reserve(_ capacity: Int) {
        keys = LaneBuffer(capacity: capacity)
        weights = LaneBuffer(capacity: capacity)
    }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func append(key: UInt32, weight: Float) {
        keys[count] = key
        weights[count] = weight
        count &+= 1
    }

    /// Where the limit (> 0) is reached; the last key that has weight where rounding keeps the sum below it. Uses the items up.
    mutating func crossing(_ limit: Double) -> Crossing {
        var key: UInt32 = 0
        var before = 0.0
        var shift: UInt32 = 32
        var isReached = true
        for width in Self.widths {
            shift -= width
            accumulate(shift: shift, width: width)
            var last = (bucket: 0, before: before)
            var isHere = false
            for bucket in 0..<1 << Int(width) where sums[bucket] > 0 {
                last = (bucket, before)
                before += sums[bucket]
                isHere = before >= limit
                if isHere { break }
            }
            isReached = isReached && isHere
            before = last.before
            key |= UInt32(last.bucket) << shift
            keepItems(startingWith: key >> shift, shift: shift)
        }
        return Crossing(key: key, before: before, isReached: isReached)
    }

    private static let widths: [UInt32] = [11, 11, 10]

    /// Sums the weights of all items by the `width` bits of their keys above bit `shift`.
    private mutating func accumulate(shift: UInt32, width: UInt32) {
        for bucket in 0..<1 << Int(width) { sums[bucket] = 0 }
        let mask = (1 << width) - 1 as UInt32
        for index in 0..<count {
            sums[Int(keys[index] &>> shift & mask)] += Double(weights[index])
        }
    }

    private mutating func keepItems(startingWith prefix: UInt32, shift: UInt32) {
        var kept = 0
        for index in 0..<count where keys[index] &>> shift == prefix {
            keys[kept] = keys[index]
            weights[kept] = weights[index]
            kept += 1
        }
        count = kept
    }
}
