import Compute
import GGUF
import Models
import Quant

/// A model with its weights on a device, ready to be compiled.
struct LoadedModel {
    let model: Model
    let backend: any Backend
    let weights: any LoadedWeights
    let contextLength: Int
    let cacheFormat: KVFormat
    /// From the start of opening the file.
    let loadTime: Duration

    /// How long the context is.
    enum Context {
        /// As the options say, otherwise at most this many tokens.
        case upTo(Int)
        /// What the work needs, also beyond the trained length.
        case exactly(Int)
    }

    init(_ options: ModelOptions, context: Context = .upTo(ModelOptions.defaultContext)) throws {
        let start = ContinuousClock.now
        let model = try Model(path: options.file.path)
        let backend = try Devices.open(options.device, threads: options.threads, repack: !options.noRepack)
        let memory = min(backend.device.memory, System.availableMemory)
        contextLength =
            switch context {
            case .upTo(let limit): try options.contextLength(model, limit: limit, memory: memory)
            case .exactly(let length): length
            }
        cacheFormat = options.kvType.format
        let plan = MemoryPlan(model, contextLength: contextLength, cacheFormat: cacheFormat)
        let verbosity = options.verbosity
        verbosity.detail(
            "model: \(model.file.path), \(model.architecture), \(model.layerCount) layers, \(bytes(model.file.byteCount))"
        )
        verbosity.detail("device: \(backend.device.id), \(backend.device.name), \(backend.device.threads) threads")
        verbosity.detail("memory plan: \(plan.text); \(bytes(memory)) available")
        if plan.total > memory {
            verbosity.warning("the memory plan needs \(bytes(plan.total)), but only \(bytes(memory)) are available")
        }

        let bar = ProgressBar("Loading", quiet: verbosity.quiet)
        defer { bar.finish() }
        weights = try backend.load(model.weights, for: model.program, progress: bar.update)
        self.model = model
        self.backend = backend
        loadTime = ContinuousClock.now - start
        verbosity.detail("loaded in \(seconds(loadTime)), weights \(bytes(weights.byteCount))")
    }
}
