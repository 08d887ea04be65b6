import Chat
import Compute
import Engine
import GGUF
import Glibc
import JSON
import Logging
import Models
import Quant
import Server
import Tokenizer

/// From the options to everything that a server needs, with a log line for each step.
struct ServingStartup {
    private let options: Serve
    private let log: Logger

    init(_ options: Serve, _ log: Logger) {
        self.options = options
        self.log = log
    }

    /// Loads the model.
    /// - Returns: What to serve, and what to do when clients can connect.
    func load() throws -> (ServerContext, @Sendable (Int) -> Void) {
        let start = ContinuousClock.now
        let path = options.model.file.path
        try Self.checkPath(path)
        log.info("Loading \(path)")
        let model = try Model(path: path)
        let tokenizer = try Tokenizer(model.file.metadata)
        for warning in tokenizer.warnings { log.warning("\(warning)") }
        let need = Devices.Need(
            model, context: options.limits.maxTotalTokens ?? options.model.ctxSize,
            cacheFormat: options.model.kvType.format)
        return try Devices.load(
            options.model.device, for: need, threads: options.model.threads, repack: !options.model.noRepack
        ) { try serve(model, tokenizer, on: $0, since: start) }
    }

    private func serve(
        _ model: Model, _ tokenizer: Tokenizer, on opened: OpenDevice, since start: ContinuousClock.Instant
    ) throws -> (ServerContext, @Sendable (Int) -> Void) {
        let backend = opened.backend
        announce(opened)
        let limits = try limits(model, backend)
        let templates = try templates(model, tokenizer)
        let metrics = ServerMetrics(limits: limits)
        let description = ModelDescription(
            id: options.model.file.path, device: backend.device.name, dtype: Self.dominantType(model),
            serverVersion: Version.current)

        let bar = ProgressBar("Loading", quiet: options.model.verbosity.quiet)
        defer { bar.finish() }
        let runtime = try Runtime(
            model, tokenizer, on: backend,
            Runtime.Configuration(serving: limits, kvFormat: options.model.kvType.format), progress: bar.update)
        let engine = Engine(runtime, limits: limits, observer: metrics.steps)
        bar.finish()
        log.info("Model loaded in \(seconds(ContinuousClock.now - start))")

        let context = ServerContext(
            engine: engine, tokenizer: tokenizer, templates: templates, model: description, options: serverOptions,
            metrics: metrics, log: log)
        return (
            context,
            { [log, host = context.options.host] port in
                log.info("Connected", metadata: ["address": "http://\(host):\(port)"])
            }
        )
    }

    private func announce(_ opened: OpenDevice) {
        let device = opened.backend.device
        if options.logs.env {
            log.info("tgi-run \(Version.current), interface of TGI \(ModelDescription.apiVersion)")
        }
        let reason = opened.reason.map { " (\($0))" } ?? ""
        log.info("Device: \(device.id), \(device.name), \(device.threads) threads\(reason)")
    }

    private func limits(_ model: Model, _ backend: any Backend) throws -> EngineLimits {
        let format = options.model.kvType.format
        let device = backend.device
        let memory = device.ownsMemory ? device.memory : min(device.memory, System.availableMemory)
        let weights = try MemoryPlan.weights(of: model, on: backend)
        func cacheBytes(_ limits: EngineLimits) -> Int {
            MemoryPlan.cache(of: model, Runtime.Configuration(serving: limits, kvFormat: format))
        }
        let serving = try ServingLimits(
            options.limits, context: options.model.ctxSize, trainedContext: model.trainedContext,
            allowsLongContext: options.model.forceCtx, memory: memory - weights, cacheBytes: cacheBytes)
        for remark in serving.remarks { log.info("\(remark)") }
        let limits = serving.limits
        log.info(
            """
            Memory plan: weights \(bytes(weights)), KV cache up to \(bytes(cacheBytes(limits))) for \
            \(limits.maxBatchTotalTokens) tokens in \(format.format.name.lowercased()); \(bytes(memory)) available
            """)
        return limits
    }

    private var serverOptions: ServerOptions {
        var result = ServerOptions()
        result.host = options.network.hostname
        if !Serving.isAddress(result.host) {
            log.warning("Invalid hostname, defaulting to 0.0.0.0")
            result.host = "0.0.0.0"
        }
        result.port = options.network.port
        result.maxConcurrentRequests = options.limits.maxConcurrentRequests
        result.maxBestOf = options.limits.maxBestOf
        result.maxStopSequences = options.limits.maxStopSequences
        result.maxTopNTokens = options.limits.maxTopNTokens
        result.maxClientBatchSize = options.limits.maxClientBatchSize
        result.validationWorkers = options.limits.validationWorkers
        result.payloadLimit = options.limits.payloadLimit
        result.apiKey = options.network.apiKey
        result.allowedOrigins = options.network.corsAllowOrigin
        result.prefillLogprobs =
            options.limits.enablePrefillLogprobs || LauncherArguments.variable("REQUEST_LOGPROBS") == "1"
        result.gracefulTermination = .seconds(options.network.gracefulTerminationTimeout)
        result.computeType = LauncherArguments.variable("COMPUTE_TYPE") ?? "cpu"
        return result
    }

    /// The chat templates: a file's, or the model's own. One that cannot be read fails the requests that need it.
    private func templates(_ model: Model, _ tokenizer: Tokenizer) throws -> ChatTemplates {
        var templates: ChatTemplates
        if let path = options.chatTemplate {
            templates = try ChatTemplates(file: path)
        } else if let path = options.tokenizerConfigPath {
            templates = try ChatTemplates(tokenizerConfig: path)
            if templates.isEmpty { throw Failure("\(path): no chat_template") }
        } else {
            templates = try ChatTemplates(model.file.metadata, tokenizer)
        }
        templates.takeTokens(of: tokenizer)
        if let problem = templates.problem { log.warning("The chat template cannot be used: \(problem)") }
        return templates
    }

    /// A name such as `org/model` is none of a file.
    private static func checkPath(_ path: String) throws {
        guard unsafe access(path, F_OK) != 0, !path.contains(".gguf") else { return }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return }
        throw Failure(
            "\(path): no such file or folder. Names on the Hugging Face Hub are not supported: download a .gguf file of the model and "
                + "give its path")
    }

    /// The element format of most of the weights' bytes.
    private static func dominantType(_ model: Model) -> String {
        var byteCounts: [String: Int] = [:]
        for tensor in model.file.tensors { byteCounts[tensor.format.name, default: 0] += tensor.byteCount }
        return byteCounts.max { $0.value < $1.value }?.key ?? "unknown"
    }
}
