import ArgumentParser

/// What a file holds and what running it would take.
struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show a model's metadata, tensor types and memory plan.",
        discussion: """
            Examples:
              tgi-run info -m model.gguf
              tgi-run info -m model.gguf --tensors
              tgi-run info -m model.gguf -c 32768 --kv-type q8_0      what would this context cost?
            """
    )

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print one JSON object; nothing is abbreviated.")
    var json = false

    @Flag(help: "List every tensor with its shape, type and size.")
    var tensors = false

    func run() throws { throw Failure("not connected yet") }
}
