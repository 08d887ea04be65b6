package import JSON

/// The chat templates that a model comes with: one for conversations, and perhaps another for those with tools.
///
/// A template that cannot be read is kept as what is wrong with it: it fails the requests that need it, and no others.
package struct ChatTemplates: Sendable {
    package let plain: Result<ChatTemplate, ChatError>?
    package let forTools: Result<ChatTemplate, ChatError>?
    /// The texts of the model's tokens that templates write; a template finds what is `nil` undefined.
    package var bosToken: String?
    package var eosToken: String?

    /// - Parameter lookup: The string under a metadata key of the model's GGUF file.
    package init<E: Error>(lookup: (String) throws(E) -> String?) throws(E) {
        let key = "tokenizer.chat_template"
        let (unnamed, named, withTools) = (
            try lookup(key), try lookup(key + ".default"), try lookup(key + ".tool_use")
        )
        plain = (unnamed ?? named).map(Self.read)
        forTools = withTools.map(Self.read)
    }

    /// One template for everything.
    package init(source: String) {
        plain = Self.read(source)
        forTools = nil
    }

    /// What a `tokenizer_config.json` holds: a template or several with names, of which TGI takes `default`, and the tokens.
    /// - Throws: ``ChatError/Kind/input`` where it is no object or its template is of another form.
    package init(tokenizerConfig json: JSON) throws(ChatError) {
        guard let members = json.objectValue else { throw ChatError(.input, "expected an object") }
        switch members["chat_template"] {
        case nil, .null: (plain, forTools) = (nil, nil)
        case .string(let source): (plain, forTools) = (Self.read(source), nil)
        case .array(let templates):
            func named(_ name: String) -> Result<ChatTemplate, ChatError>? {
                templates.first { $0["name"]?.stringValue == name }?["template"]?.stringValue.map(Self.read)
            }
            (plain, forTools) = (named("default"), named("tool_use"))
        default: throw ChatError(.input, "chat_template: expected a string or an array of named templates")
        }
        func token(_ key: String) -> String? { members[key]?.stringValue ?? members[key]?["content"]?.stringValue }
        (bosToken, eosToken) = (token("bos_token"), token("eos_token"))
    }

    package var isEmpty: Bool { plain == nil && forTools == nil }

    /// What is wrong with the template for conversations.
    package var problem: ChatError? {
        if case .failure(let error) = plain { error } else { nil }
    }

    /// The template for a conversation with tools or without, or `nil` where the model has none.
    package func template(hasTools: Bool) throws(ChatError) -> ChatTemplate? {
        try (hasTools ? forTools ?? plain : plain)?.get()
    }

    private static func read(_ source: String) -> Result<ChatTemplate, ChatError> {
        Result { () throws(ChatError) in try ChatTemplate(source: source) }
    }
}

extension ChatTemplates {
    /// The prompt of a chat, up to where the assistant goes on; `nil` where the model has no template.
    ///
    /// - Parameters:
    ///   - tools: Tools in OpenAI's form. A template that does not show tools gets them as text behind the last message.
    ///   - toolPrompt: What that text ends with.
    ///   - extra: More variables for the template.
    package func prompt(
        for chat: ChatMessages, tools: [JSON] = [], toolPrompt: String = "", extra: JSONObject = JSONObject(),
        now: LocalTime = .now
    ) throws(ChatError) -> String? {
        guard let template = try template(hasTools: !tools.isEmpty) else { return nil }
        var chat = chat
        if !tools.isEmpty, !template.usesTools {
            chat.append("\n---\n\(JSON.array(tools).text())\n\(toolPrompt)")
        }
        return try template.prompt(
            for: chat, tools: tools.isEmpty ? nil : .array(tools), bosToken: bosToken, eosToken: eosToken, extra: extra,
            now: now)
    }
}
