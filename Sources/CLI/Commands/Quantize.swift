import ArgumentParser

/// Writes a model in a smaller format.
struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantize",
        abstract: "Write a model in another format.",
        discussion: """
            Example:
              tgi-run quantize -m model-f16.gguf -o model-q4_k_m.gguf --type Q4_K_M

            Start from F32, F16 or BF16: what a smaller format has lost does not come back.
            """
    )

    @OptionGroup var file: ModelFile

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "path"))
    var output: String

    @Option(help: "Format of the matrices, or a mix of formats.")
    var type: String

    @Option(name: .shortAndLong, help: "Worker threads. (default: one per core that this process may use)")
    var threads: Int?

    @OptionGroup var verbosity: Verbosity

    func run() throws { throw Failure("not connected yet") }
}
