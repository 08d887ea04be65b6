package import Quant

/// SplitMix64: the same blocks on every run and machine.
package struct SplitMix64: RandomNumberGenerator {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Normally distributed with deviation 1 (sum of twelve uniforms).
    package mutating func normal() -> Float {
        var sum: Float = -6
        for _ in 0..<12 { sum += Float(next() >> 40) * 0x1p-24 }
        return sum
    }
}

extension Format {
    /// Blocks of random bits with finite scales.
    package func randomBlocks(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(state: seed &+ UInt64(id))
        var bytes: [UInt8] = []
        while bytes.count < count * blockBytes {
            let block = (0..<blockBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if firstNonFiniteBlock(block) == nil { bytes += block }
        }
        return bytes
    }

    /// See ``Format/firstNonFiniteBlock(in:)``.
    package func firstNonFiniteBlock(_ bytes: [UInt8]) -> Int? {
        unsafe firstNonFiniteBlock(in: bytes.span.bytes)
    }

    /// All weights of whole blocks, by the readable reference.
    package func referenceDecoded(_ bytes: [UInt8]) -> [Float] {
        var values = [Float](repeating: 0, count: bytes.count / blockBytes * blockLength)
        var span = values.mutableSpan
        unsafe referenceDecode(bytes.span.bytes, into: &span)
        return values
    }

    /// All weights of whole blocks.
    package func decoded(_ bytes: [UInt8]) -> [Float] {
        var values = [Float](repeating: 0, count: bytes.count / blockBytes * blockLength)
        var span = values.mutableSpan
        unsafe decode(bytes.span.bytes, into: &span)
        return values
    }
}

/// Formats whose blocks hold codes and scales.
package let quantized = Format.all.filter { $0.groups != nil }
