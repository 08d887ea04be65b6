import ArgumentParser

/// Whether a prompt is a message in a chat.
struct ChatOptions: ParsableArguments {
    @Flag(help: "Take the prompt as a message and write it the way the model's chat template does.")
    var chat = false

    @Option(help: ArgumentHelp("A system message before it (turns --chat on).", valueName: "text"))
    var system: String?

    var isChat: Bool { chat || system != nil }
}
