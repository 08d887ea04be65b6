package import JSON

/// A model's chat template: a Jinja template that writes a conversation as the text the model continues.
///
/// The language is that of Python's jinja2 3.1 as Hugging Face transformers sets it up: sandboxed and immutable, with `trim_blocks`
/// and `lstrip_blocks`, the tags `break`, `continue` and `generation`, `raise_exception`, `strftime_now`, and a `tojson` that does
/// not escape for HTML.
package struct ChatTemplate: Sendable {
    private let template: Template

    /// - Throws: A ``ChatError`` with the line, for what is wrong with the template itself.
    package init(source: String) throws(ChatError) {
        template = try Template(source)
    }

    /// Whether the template shows tools itself: it reads the variable `tools`.
    package var usesTools: Bool { template.freeNames.contains("tools") }

    /// Writes a conversation.
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
}
