package import JSON

/// A model's chat template: a Jinja template that writes a conversation as the text the model continues.
///
/// The language is that of Python's jinja2 3.1 as Hugging Face transformers sets it up: sandboxed and immutable, with `trim_blocks`
/// and `lstrip_blocks`, the tags `break`, `continue` and `generation`, `raise_exception`, `strftime_now`, and a `tojson` that does
/// not escape for HTML. Integers have 64 bits, and what a template may use is bounded (``ChatError/Kind/limit``).
package struct ChatTemplate: Sendable {
    private let template: Template
    private let form: MessageForm

    /// - Throws: A ``ChatError`` with the line, for what is wrong with the template itself.
    package init(source: String) throws(ChatError) {
        template = try Template(source)
        form = MessageForm(of: template)
    }

    /// Whether the template shows tools itself: it reads the variable `tools`.
    package var usesTools: Bool { template.freeNames.contains("tools") }

    /// Writes a conversation, with messages as they are.
    ///
    /// - Parameters:
    ///   - messages: An array of objects with `role`, `content` and what else the template looks at.
    ///   - tools: An array of tools, or `nil` for none.
    ///   - addGenerationPrompt: Whether the text ends with the beginning of the assistant's turn.
    ///   - bosToken: The text of the token; without one the variable is undefined.
    ///   - extra: More variables. They go before those above.
    ///   - now: The time for `strftime_now`.
    /// - Throws: What the template raises, or what goes wrong in it.
    package func render(
        messages: JSON, tools: JSON? = nil, addGenerationPrompt: Bool = true, bosToken: String? = nil,
        eosToken: String? = nil, extra: JSONObject = JSONObject(), now: LocalTime = .now
    ) throws(ChatError) -> String {
        var variables: [(name: Text, value: Value)] = [
            ("messages", try Value(messages)),
            ("tools", try tools.map { (tools) throws(ChatError) in try Value(tools) } ?? .none),
            ("documents", .none),
            ("add_generation_prompt", .bool(addGenerationPrompt)),
        ]
        if let bosToken { variables.append(("bos_token", .string(bosToken))) }
        if let eosToken { variables.append(("eos_token", .string(eosToken))) }
        for (name, value) in extra { variables.append((Text(name), try Value(value))) }
        return try template.render(variables, now: now)
    }

    /// Writes the prompt of a chat request: messages in the form that this template wants, up to where the assistant goes on. After
    /// a last message of the assistant that is the end of its text.
    ///
    /// - Parameters and errors are those of ``render(messages:tools:addGenerationPrompt:bosToken:eosToken:extra:now:)``.
    package func prompt(
        for chat: ChatMessages, tools: JSON? = nil, bosToken: String? = nil, eosToken: String? = nil,
        extra: JSONObject = JSONObject(), now: LocalTime = .now
    ) throws(ChatError) -> String {
        let text = try render(
            messages: chat.json(for: form), tools: tools, bosToken: bosToken, eosToken: eosToken, extra: extra, now: now
        )
        guard let last = chat.messages.last, last.role == "assistant", last.members["tool_calls"] == nil,
            let content = last.content
        else { return text }
        return Self.cut(Text(text), behind: Text(content)).string
    }

    /// The text up to the end of the last occurrence of what it ends with, without whitespace at its end.
    private static func cut(_ text: Text, behind end: Text) -> Text {
        // Templates often trim the messages.
        for end in [end, end.stripped()] where !end.isEmpty {
            guard let offset = text.findLast(end) else { continue }
            return Text(bytes: text.bytes[..<(offset + end.bytes.count)]).strippedAtEnd { $0.isPythonWhitespace }
        }
        return text
    }
}
