import ArgumentParser
import Chat
import GGUF
import Models
import JSON
import Tokenizer

/// A conversation to the text that a model sees.
struct Template: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a conversation as a chat template writes it.",
        discussion: """
            Examples:
              tgi-run template -m model.gguf --messages chat.json
              tgi-run template --chat-template qwen.jinja --messages chat.json --tools tools.json --eos-token '</s>'
              echo '[{"role": "user", "content": "Hi"}]' | tgi-run template -m model.gguf --messages -

            The template, and the tokens that it writes, are the model's unless they are given.
            """
    )

    @Option(
        name: [.customShort("m"), .customLong("model")],
        help: ArgumentHelp("A model whose chat template is used.", valueName: "path"))
    var model: String?

    @Option(help: ArgumentHelp("A file with a chat template (Jinja).", valueName: "path"))
    var chatTemplate: String?

    @Option(help: ArgumentHelp("A JSON file with an array of messages; - is standard input.", valueName: "path"))
    var messages: String

    @Option(help: ArgumentHelp("A JSON file with an array of tools; - is standard input.", valueName: "path"))
    var tools: String?

    @Flag(help: "Leave out the beginning of the assistant's turn.")
    var noGenerationPrompt = false

    @Option(
        parsing: .unconditional, help: ArgumentHelp("The text of the token that begins a sequence.", valueName: "text"))
    var bosToken: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("The text of the token that ends a sequence.", valueName: "text"))
    var eosToken: String?

    @Option(
        help: ArgumentHelp(
            "The local time for templates that write the date, as 2026-01-31T12:00:00. (default: now)",
            valueName: "time"))
    var now: LocalTime?

    func validate() throws {
        guard model != nil || chatTemplate != nil else {
            throw ValidationError("no template: give -m MODEL or --chat-template FILE")
        }
        if messages == "-" && tools == "-" {
            throw ValidationError("--messages and --tools cannot both be standard input")
        }
    }

    func run() throws {
        let templates = try templates()
        let conversation = try array(messages)
        let tools = try tools.map { try array($0) }
        guard let template = try templates.template(hasTools: tools?.arrayValue?.isEmpty == false) else {
            throw Failure("\(model ?? "the model") has no chat template: give one with --chat-template")
        }
        let text = try template.render(
            messages: conversation, tools: tools, addGenerationPrompt: !noGenerationPrompt,
            bosToken: bosToken ?? templates.bosToken, eosToken: eosToken ?? templates.eosToken, now: now ?? .now)
        try StandardOutput.write(text)
    }

    private func templates() throws -> ChatTemplates {
        var templates = try chatTemplate.map { try ChatTemplates(file: $0) }
        if let model {
            let metadata = try GGUFFile.open(model).metadata
            let tokenizer = try Tokenizer(metadata)
            if templates == nil { templates = try ChatTemplates(metadata, tokenizer) }
            templates?.takeTokens(of: tokenizer)
        }
        guard let templates else { throw ValidationError("no template: give -m MODEL or --chat-template FILE") }
        return templates
    }

    private func array(_ path: String) throws -> JSON {
        let json = try readJSON(path)
        guard json.arrayValue != nil else {
            throw Failure("\(path == "-" ? "standard input" : path): expected a JSON array")
        }
        return json
    }
}

extension LocalTime: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
