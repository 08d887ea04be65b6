internal import Compute
internal import Quant

/// Keys and values of all layers on the device, laid out as kernels/attention.cl says.
final class KVCache {
    /// Positions in a block, and positions that attention sums up at a time: constants of the kernels.
    static let blockLength = 32
    static let splitLength = 128

    /// Suffix of the kernels for the format.
    let format: String
    private let layers: [Layer]

    private final class Layer {
        let memory: Memory
        init(_ memory: consuming Memory) { self.memory = memory }
    }

    init(_ context: Context, _ layout: CacheLayout, _ configuration: KVCacheConfiguration) throws(BackendError) {
        guard configuration.blockLength == Self.blockLength else {
            throw .unsupported("KV blocks of \(configuration.blockLength) positions")
        }
        guard let format = Self.formats[configuration.format] else {
            throw .unsupported("a KV cache of type \(configuration.format)")
        }
        self.format = format
        var layers: [Layer] = []
        for layer in layout.layers {
            let bytes = Self.byteCount(layer, configuration)
            do { layers.append(Layer(try Memory(context, .device, byteCount: bytes))) } catch {
                throw context.failure(error)
            }
        }
        self.layers = layers
    }

    func slice(layer: Int) -> Slice { layers[layer].memory.slice() }

    static func byteCount(_ layout: CacheLayout, _ configuration: KVCacheConfiguration) -> Int {
        layout.layers.reduce(0) { $0 + byteCount($1, configuration) }
    }

    private static func byteCount(_ layer: CacheLayout.Layer, _ configuration: KVCacheConfiguration) -> Int {
        cellBytes(configuration.format, layer) * layer.kvHeads * configuration.blockCount(of: layer)
    }

    /// Bytes of one KV head in one block: two strips of 16 positions, in tiles of 16 dimensions.
    private static func cellBytes(_ format: Format, _ layer: CacheLayout.Layer) -> Int {
        func strip(_ length: Int) -> Int {
            let tiles = (length + 15) / 16
            return format == .q8_0 ? tiles * 256 + (tiles + 1) / 2 * 32 : tiles * 256 * format.blockBytes
        }
        return 2 * (strip(layer.keyLength) + strip(layer.valueLength))
    }

    private static let formats: [Format: String] = [.f16: "f16", .f32: "f32", .q8_0: "q8_0"]
}
