import ArgumentParser

/// Text to token ids, as the model sees it.
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Print the tokens of a text.",
        discussion: """
            Examples:
              tgi-run tokenize -m model.gguf -p 'Hello world'
              tgi-run tokenize -m model.gguf -f chapter.txt --ids > ids.json
            """
    )

    @OptionGroup var file: ModelFile
    @OptionGroup var text: PromptOptions

    @Flag(help: "Print one JSON array of ids instead of a line for each token.")
    var ids = false

    @Flag(help: "Leave out the beginning- and end-of-sequence tokens that the model's file asks for.")
    var noBos = false

    @Flag(help: "Take the names of special tokens, such as </s>, as plain text.")
    var noParseSpecial = false

    @OptionGroup var verbosity: Verbosity

    func run() throws { throw Failure("not connected yet") }
}
