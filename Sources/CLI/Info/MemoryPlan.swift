import Compute
import Engine
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

    init(_ model: Model, contextLength: Int, cacheFormat: KVFormat, sequences: Int = 1) {
        self.contextLength = contextLength
        self.cacheFormat = cacheFormat
        // Several weights may be parts of one tensor.
        weights = Set(model.program.weights.map(\.name)).reduce(0) { $0 + (model.file.tensor($1)?.byteCount ?? 0) }
        let blocks = sequences * BlockPool.blocks(for: contextLength)
        cache = blocks * BlockPool.blockLength * model.program.cache.bytesPerPosition(cacheFormat)
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
