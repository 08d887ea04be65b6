/// SplitMix64: small, fast, and the same everywhere.
package struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// True once in `n` times.
    mutating func chance(_ n: Int) -> Bool { below(n) == 0 }
    /// A number in `0 ..< n`; zero for `n` of zero.
    mutating func below(_ n: Int) -> Int { n > 0 ? Int(next() % UInt64(n)) : 0 }
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

    /// A part of `0 ..< count`, usually short.
    mutating func range(in count: Int) -> Range<Int> {
        let start = below(count + 1)
        let length = chance(4) ? below(count - start + 1) : min(count - start, below(24))
        return start..<start + length
    }
}
