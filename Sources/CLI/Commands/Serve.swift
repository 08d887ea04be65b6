import ArgumentParser
import Chat
import Compute
import Engine
import JSON
import Logging
import Models
import Quant
import Server
import Tokenizer

/// The server: TGI's HTTP interface over one model.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a model over HTTP, as Text Generation Inference does.",
        discussion: """
            Examples:
              tgi-run serve --model-id model.gguf --port 8080
              tgi-run serve -m model.gguf --api-key secret --max-total-tokens 4096

            Each flag with a value may also come from the environment: --max-best-of from MAX_BEST_OF; a flag beats its variable. \
            LOG_LEVEL (trace, debug, info, warn, error) and LOG_COLORIZE=1 shape the log. TGI's flags for CUDA, Python and \
            its own processes are accepted and have no effect. GET /docs describes the routes.
            """
    )

    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Log") var logs: LogOptions

    @Option(help: ArgumentHelp("A chat template in place of the model's own.", valueName: "path"))
    var chatTemplate: String?

    @Option(
        help: ArgumentHelp(
            "A tokenizer_config.json whose chat_template takes the place of the model's.", valueName: "path"))
    var tokenizerConfigPath: String?

    /// Flags and variables that were given but have no effect; set by the caller.
    @Option(help: .hidden)
    var withoutEffect: [String] = []

    func run() throws {
        let log = logger
        if !withoutEffect.isEmpty {
            log.warning("Accepted without effect: \(withoutEffect.joined(separator: ", "))")
        }
        let startup = ServingStartup(self, log)
        let (context, onListening) = try startup.load()
        let serving = Serving(context, onListening: onListening)
        try Interruption.delegating({ Task { await serving.stop() } }) {
            try Blocking.run { try await serving.run() }
        }
    }

    private var logger: Logger {
        let color = LauncherArguments.variable("LOG_COLORIZE") == "1"
        let level = LauncherArguments.variable("LOG_LEVEL").flatMap(ServerLog.level) ?? .info
        return ServerLog.logger(logs.jsonOutput ? .json : .text(color: color), level: level)
    }
}
