import ArgumentParser
import CPU
import Compute
import Engine
import Models

/// The file to work on.
struct ModelFile: ParsableArguments {
    @Option(
        name: [.customShort("m"), .customLong("model"), .customLong("model-id")],
        help: ArgumentHelp(
            "A model: a .gguf or .gguf.zst file, the first file of a split, or a folder that holds one.",
            valueName: "path"))
    var path: String
}

/// How much is said on stderr.
struct Verbosity: ParsableArguments {
    @Flag(help: "Print what is loaded, the memory plan, the seed and statistics to stderr.")
    var verbose = false

    @Flag(help: "Print nothing but results and errors.")
    var quiet = false

    func validate() throws {
        if verbose && quiet { throw ValidationError("--verbose and --quiet exclude each other") }
    }

    func detail(_ text: @autoclosure () -> String) {
        if verbose { Diagnostics.line(text()) }
    }

    func note(_ text: @autoclosure () -> String) {
        if !quiet { Diagnostics.note(text()) }
    }

    func warning(_ text: @autoclosure () -> String) {
        if !quiet { Diagnostics.warning(text()) }
    }
}

/// What every subcommand that runs a model takes.
struct ModelOptions: ParsableArguments {
    @OptionGroup var file: ModelFile

    @Option(name: .shortAndLong, help: "Worker threads of the CPU. (default: one per core that this process may use)")
    var threads: Int?

    @Option(help: "Where to compute: auto, cpu, xpu or xpu:N. (default: the variable TGI_RUN_DEVICE, else auto)")
    var device: DeviceChoice?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            """
            Context: tokens of prompt and answer together. (default: the smallest of the trained length, 8192 and what the \
            memory allows)
            """, valueName: "tokens"))
    var ctxSize: Int?

    @Option(help: "Format of keys and values in memory: f16, f32 or q8_0.")
    var kvType: KVType = .f16

    @Flag(help: "Compute on the file's own layout: loads at once and needs no second copy, but is slower.")
    var noRepack = false

    @Flag(help: "Allow a context beyond the length that the model was trained for.")
    var forceCtx = false

    @OptionGroup var verbosity: Verbosity

    func validate() throws {
        try Self.validate(threads: threads)
        if let ctxSize, !(1...Int(Int32.max)).contains(ctxSize) {
            throw ValidationError("--ctx-size must be from 1 to \(Int32.max)")
        }
    }

    static func validate(threads: Int?) throws {
        // More threads than processors only wait for each other.
        let most = max(16, 4 * CPUBackend.availableProcessors())
        if let threads, !(1...most).contains(threads) { throw ValidationError("--threads must be from 1 to \(most)") }
    }
}

enum KVType: String, ExpressibleByArgument, CaseIterable {
    case f16
    case f32
    case q8_0

    init?(argument: String) { self.init(rawValue: argument.lowercased()) }
}

extension KVType {
    var format: KVFormat {
        switch self {
        case .f16: .f16
        case .f32: .f32
        case .q8_0: .q8_0
        }
    }
}

extension ModelOptions {
    /// Longest context that is taken without being asked for.
    static let defaultContext = 8192

    /// The context as asked for, or the smallest of the trained length, `limit`, and what fits into `memory` bytes beside the weights.
    /// - Throws: ``Failure`` where more than the trained length is asked for without `--force-ctx`.
    func contextLength(
        _ model: Model, limit: Int = defaultContext, memory: Int, on backend: (any Backend)? = nil
    ) throws -> Int {
        if let ctxSize {
            guard forceCtx || ctxSize <= model.trainedContext else {
                throw Failure(
                    "a context of \(ctxSize) tokens is more than the \(model.trainedContext) that the model was trained for "
                        + "(--force-ctx allows it)")
            }
            return ctxSize
        }
        let wanted = min(model.trainedContext, limit)
        let room = try memory - MemoryPlan.weights(of: model, on: backend)
        func fits(_ length: Int) -> Bool {
            MemoryPlan.cache(of: model, .init(contextLength: length, kvFormat: kvType.format)) <= room
        }
        if fits(wanted) { return wanted }
        let affordable = MemoryPlan.mostPositions(upTo: wanted, fits)
        return affordable > 0 ? affordable : wanted
    }
}
