import ArgumentParser
import CPU
import GGUF
import Quant

/// Writes a model in a smaller format.
struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Write a model in another format.",
        discussion: """
            Example:
              tgi-run quantize -m model-f16.gguf -o model-q4_k_m.gguf --type Q4_K_M

            Types: \(Mix.all.map(\.name).joined(separator: ", ")).
            Those that end in _S, _M or _L, Q2_K and IQ4 are mixes: the matrices that suffer most get more bits. Norms and biases \
            keep their format, the output matrix gets Q6_K at least. Start from F32, F16 or BF16: what a smaller format has lost \
            does not come back.
            """
    )

    @OptionGroup var file: ModelFile

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "path"))
    var output: String

    @Option(help: ArgumentHelp("Format of the matrices, or a mix of formats.", valueName: "type"))
    var type: Mix

    @Option(name: .shortAndLong, help: "Worker threads. (default: one per core that this process may use)")
    var threads: Int?

    @OptionGroup var verbosity: Verbosity

    func validate() throws {
        try ModelOptions.validate(threads: threads)
    }

    func run() throws {
        let source = try GGUFFile.open(file.path)
        try checkTarget(source)
        let plan = try QuantizationPlan(type, for: source)
        if let quantized = source.tensors.first(where: { $0.format.isQuantized }), type.base.isQuantized {
            verbosity.warning(
                "\(source.path) is quantized already (\(quantized.format)); from F16 the result is better")
        }

        let bar = ProgressBar("Quantizing", quiet: verbosity.quiet)
        defer { bar.finish() }
        let start = ContinuousClock.now
        let pool = WorkerPool(count: threads ?? CPUBackend.availableProcessors())
        let quantizer = Quantizer(file: source, plan: plan, pool: pool)
        let written = try Interruption.undoing { [output] in
            GGUFWriter.removeUnfinished(output)
        } _: {
            try Interruption.cooperatively {
                try quantizer.write(to: output, progress: bar.update) { Interruption.isRequested }
            }
        }
        bar.finish()
        let before = source.tensors.reduce(0) { $0 + $1.byteCount }
        try StandardOutput.write(
            """
            \(output): \(type.name), \(bytes(written)) of tensors, \(fixed(Double(written) / Double(max(1, before)) * 100, 1)) % of \
            the source, in \(seconds(ContinuousClock.now - start))
            \(TypeSummary(zip(source.tensors, plan.formats).map { ($0, $1) }).table)
            """)
    }

    /// Writing goes to a temporary file, so the source could even be replaced; nobody wants that by accident.
    private func checkTarget(_ source: GGUFFile) throws {
        if isSameFile(source.path, output) { throw ValidationError("--output is the source itself") }
    }
}

extension Mix: ExpressibleByArgument {
    init?(argument: String) {
        guard let mix = Mix.named(argument) else { return nil }
        self = mix
    }

    static var allValueStrings: [String] { all.map(\.name) }
}
