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
    /// Bytes of the weights: in the layout of a device where one is given, otherwise in the file.
    let weights: Int
    /// Bytes of keys and values: of layers that see everything for the whole context of each sequence, of windowed layers for what they
    /// reach.
    let cache: Int

    /// Memory that is left to everything else: activations, logits, the driver.
    static let reserve = 512 << 20

    init(_ model: Model, _ configuration: Runtime.Configuration, on backend: (any Backend)? = nil) throws {
        contextLength = configuration.contextLength
        cacheFormat = configuration.kvFormat
        weights = try Self.weights(of: model, on: backend)
        cache = Self.cache(of: model, configuration)
    }

    static func weights(of model: Model, on backend: (any Backend)? = nil) throws -> Int {
        if let backend, let own = try backend.weightBytes(model.weights, for: model.program) { return own }
        // Several weights may be parts of one tensor.
        return Set(model.program.weights.map(\.name)).reduce(0) { $0 + (model.file.tensor($1)?.byteCount ?? 0) }
    }

    static func cache(of model: Model, _ configuration: Runtime.Configuration) -> Int {
        model.program.cache.byteCount(configuration.cache(model.program.cache))
    }

    /// The largest whole number of blocks' positions up to `limit` that `fits`, which holds for all smaller ones too; 0 for none.
    static func mostPositions(upTo limit: Int, _ fits: (Int) -> Bool) -> Int {
        var (low, high) = (0, limit / BlockPool.blockLength)
        while low < high {
            let middle = (low + high + 1) / 2
            if fits(middle * BlockPool.blockLength) { low = middle } else { high = middle - 1 }
        }
        return low * BlockPool.blockLength
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
