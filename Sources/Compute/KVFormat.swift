package import Quant

/// How keys and values are kept. One value per format, listed in ``all``.
package struct KVFormat: Sendable {
    package let format: Format
    /// The nearest values that the format can keep.
    package let round: @Sendable ([Float]) -> [Float]

    package static let all: [KVFormat] = [f16, f32, q8_0]

    package static let f32 = KVFormat(format: .f32) { $0 }
    package static let f16 = KVFormat(format: .f16) { $0.map { Float(Float16($0)) } }
    /// Parts of 32 values (the last may be shorter) share a scale in half precision: `max|x| / 127`.
    package static let q8_0 = KVFormat(format: .q8_0) { values in
        stride(from: 0, to: values.count, by: 32).flatMap { start in
            let part = values[start..<min(start + 32, values.count)]
            let scale = (part.map(abs).max() ?? 0) / 127
            guard scale >= 6.0e-8, scale <= 65504 else { return part.map { _ in Float(0) } }
            return part.map { ($0 * (1 / scale)).rounded(.toNearestOrEven) * Float(Float16(scale)) }
        }
    }

    private init(format: Format, round: @escaping @Sendable ([Float]) -> [Float]) {
        self.format = format
        self.round = round
    }

    package init(_ format: Format) {
        guard let known = Self.all.first(where: { $0.format == format }) else {
            preconditionFailure("\(format) is no KV cache format")
        }
        self = known
    }

    /// The format with a name such as `f16`.
    package static func named(_ name: String) -> KVFormat? {
        all.first { $0.format.name.lowercased() == name.lowercased() }
    }
}

extension CacheLayout {
    /// Bytes that keys and values take in the cache of a configuration.
    package func byteCount(_ configuration: KVCacheConfiguration) -> Int {
        layers.reduce(0) {
            let positions = configuration.blockCount(of: $1) * configuration.blockLength
            return $0 + $1.bytesPerPosition(configuration.format) * positions
        }
    }
}

extension CacheLayout.Layer {
    /// Bytes that the keys and values of one position take on the CPU: each part of 32 has a scale where the format has scales, the last
    /// part too, however short; values are padded to whole vectors.
    package func bytesPerPosition(_ format: Format) -> Int {
        func bytes(_ length: Int) -> Int {
            let scaleBytes = format.blockLength > 1 ? format.blockBytes - format.blockLength : 0
            let elementBytes = format.blockLength > 1 ? 1 : format.blockBytes
            return length * elementBytes + (length + format.blockLength - 1) / format.blockLength * scaleBytes
        }
        return kvHeads * (bytes(keyLength) + bytes((valueLength + 15) / 16 * 16))
    }
}
