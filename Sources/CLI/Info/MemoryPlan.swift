import Compute
import GGUF
import JSON
import Models
import Quant

/// What running a model takes, before it is loaded.
struct MemoryPlan {
    let contextLength: Int
    let cacheFormat: KVFormat
    /// Bytes of the weights in the file; a device's own layout takes about as much.
    let weights: Int
    /// Bytes of keys and values for the whole context of each sequence.
    let cache: Int

    static let blockLength = 32

    init(_ model: Model, contextLength: Int, cacheFormat: KVFormat, sequences: Int = 1) {
        self.contextLength = contextLength
        self.cacheFormat = cacheFormat
        // Several weights may be parts of one tensor.
        weights = Set(model.program.weights.map(\.name)).reduce(0) { $0 + (model.file.tensor($1)?.byteCount ?? 0) }
        let blocks = (contextLength + Self.blockLength - 1) / Self.blockLength
        cache = sequences * blocks * Self.blockLength * Self.cacheBytesPerToken(model.program.cache, cacheFormat)
    }

    static func cacheBytesPerToken(_ layout: CacheLayout, _ format: KVFormat) -> Int {
        layout.layers.reduce(0) { sum, layer in
            sum + layer.kvHeads * (rowBytes(layer.keyLength, format) + rowBytes(layer.valueLength, format))
        }
    }

    private static func rowBytes(_ length: Int, _ format: KVFormat) -> Int {
        // A last part shorter than a block takes its share of one.
        (length * format.format.blockBytes + format.format.blockLength - 1) / format.format.blockLength
    }

    var total: Int { weights + cache }

    var json: JSON {
        [
            "context_length": JSON(contextLength), "kv_type": .string(cacheFormat.format.name.lowercased()),
            "weights_bytes": JSON(weights), "kv_cache_bytes": JSON(cache), "total_bytes": JSON(total),
        ]
    }

    var text: String {
        """
        weights \(bytes(weights)), KV cache \(bytes(cache)) for \(contextLength) tokens in \
        \(cacheFormat.format.name.lowercased()), together \(bytes(total))
        """
    }
}
