import Compute
import Engine
import GGUF
import Models
import Quant
import Tokenizer

/// A model on its device, ready to run.
struct LoadedModel {
    /// How long the context is.
    enum Context {
        /// As the options say, otherwise at most this many tokens.
        case upTo(Int)
        /// What the work needs, also beyond the trained length.
        case exactly(Int)
    }

    let runtime: Runtime
    /// From opening the file to the last weight.
    let loadTime: Duration

    var model: Model { runtime.model }
    var tokenizer: Tokenizer { runtime.tokenizer }
    var contextLength: Int { runtime.configuration.contextLength }

    init(
        _ options: ModelOptions, context: Context = .upTo(ModelOptions.defaultContext), sequences: Int = 1
    ) throws {
        let start = ContinuousClock.now
        let verbosity = options.verbosity
        let model = try Model(path: options.file.path)
        let tokenizer = try Tokenizer(model.file.metadata)
        for warning in tokenizer.warnings { verbosity.warning(warning) }
        runtime = try Devices.load(
            options.device, for: Self.need(options, model, context, sequences), threads: options.threads,
            repack: !options.noRepack
        ) { try Self.runtime(model, tokenizer, on: $0, options, context, sequences) }
        loadTime = ContinuousClock.now - start
        verbosity.detail("loaded in \(seconds(loadTime)), weights \(bytes(runtime.weightBytes)) on the device")
    }

    private static func runtime(
        _ model: Model, _ tokenizer: Tokenizer, on opened: OpenDevice, _ options: ModelOptions, _ context: Context,
        _ sequences: Int
    ) throws -> Runtime {
        let verbosity = options.verbosity
        if let announcement = opened.announcement { verbosity.note(announcement) }
        let backend = opened.backend
        let device = backend.device
        let memory = device.ownsMemory ? device.memory - MemoryPlan.reserve : min(device.memory, System.availableMemory)
        let contextLength =
            switch context {
            case .upTo(let limit): try options.contextLength(model, limit: limit, memory: memory, on: backend)
            case .exactly(let length): length
            }
        var configuration = Runtime.Configuration(contextLength: contextLength, kvFormat: options.kvType.format)
        configuration.sequences = sequences
        configuration.stepRows = max(configuration.stepRows, sequences)
        configuration.outputRows = max(configuration.outputRows, sequences)
        announce(
            try MemoryPlan(model, configuration, on: backend), model, device, memory: memory, verbosity)
        let bar = ProgressBar("Loading", quiet: verbosity.quiet)
        defer { bar.finish() }
        return try Runtime(model, tokenizer, on: backend, configuration, progress: bar.update)
    }

    private static func need(
        _ options: ModelOptions, _ model: Model, _ context: Context, _ sequences: Int
    ) -> Devices.Need {
        let length: Int? = if case .exactly(let length) = context { length } else { options.ctxSize }
        return Devices.Need(model, context: length, cacheFormat: options.kvType.format, sequences: sequences)
    }

    private static func announce(
        _ plan: MemoryPlan, _ model: Model, _ device: DeviceInfo, memory: Int, _ verbosity: Verbosity
    ) {
        verbosity.detail(
            "model: \(model.file.path), \(model.architecture), \(model.layerCount) layers, \(bytes(model.file.byteCount))"
        )
        verbosity.detail("device: \(device.id), \(device.name), \(device.threads) threads")
        verbosity.detail("memory plan: \(plan.text); \(bytes(memory)) available")
        if plan.total > memory {
            verbosity.warning("the memory plan needs \(bytes(plan.total)), but only \(bytes(memory)) are available")
        }
    }
}
