import ArgumentParser
import GGUF
import Models
import JSON
import Tokenizer

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

    func run() throws {
        let content = try text.read()
        let tokenizer = try Tokenizer(GGUFFile.open(file.path).metadata)
        for warning in tokenizer.warnings { verbosity.warning(warning) }
        let tokens = tokenizer.encode(content, addSpecial: !noBos, parseSpecial: !noParseSpecial)
        if ids {
            try StandardOutput.write(JSON.array(tokens.map { JSON($0) }).text() + "\n")
        } else {
            let width = tokens.map { "\($0)".count }.max() ?? 0
            let lines = tokens.map { token in
                "\("\(token)".leftPadded(to: width)) \(JSON.string(tokenizer.vocabulary.piece(token)).text())\n"
            }
            try StandardOutput.write(lines.joined())
        }
    }
}
