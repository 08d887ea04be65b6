/// The counter-based generator Philox4x32-10: its output is a function of key and counter alone, so a draw depends on
/// nothing that was drawn before.
///
/// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3. SC'11.
package enum Philox {
    package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var counter = counter
        var key = key
        for _ in 0..<10 {
            let even = counter[0].multipliedFullWidth(by: 0xD251_1F53)
            let odd = counter[2].multipliedFullWidth(by: 0xCD9E_8D57)
            counter = [odd.high ^ counter[1] ^ key[0], odd.low, even.high ^ counter[3] ^ key[1], even.low]
            key &+= [0x9E37_79B9, 0xBB67_AE85]
        }
        return counter
    }

    /// The uniform number in 0 ..< 1, a multiple of 2⁻⁵³, of a place in the sequence drawn with a seed.
    package static func uniform(seed: UInt64, position: Int) -> Double {
        let place = UInt64(bitPattern: Int64(position))
        let words = block(
            counter: [UInt32(truncatingIfNeeded: place), UInt32(truncatingIfNeeded: place >> 32), 0, 0],
            key: [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)])
        let bits = UInt64(words[1]) << 32 | UInt64(words[0])
        return Double(bits >> 11) * 0x1p-53
    }
}
