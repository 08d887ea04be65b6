import ArgumentParser

/// How well a model predicts a text.
struct Perplexity: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Measure how well a model predicts a text (lower is better).",
        discussion: """
            Example:
              tgi-run perplexity -m model.gguf -f wiki.test.raw -c 512

            The text is cut into chunks of the context (512 tokens unless -c says otherwise), the second half of each \
            chunk is scored, and an incomplete last chunk is dropped: figures compare with those of llama.cpp's tool.
            """
    )

    @OptionGroup var model: ModelOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The text, taken byte for byte; - is standard input.", valueName: "path"))
    var file: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws { throw Failure("not connected yet") }
}
