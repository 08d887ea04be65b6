import JSON

/// What a template makes of messages that come in more than one form. Templates were written against different clients, so each is
/// asked: it renders a short conversation in every form, and the first that it shows rightly is its own.
struct MessageForm: Sendable, Hashable {
    /// Whether the content is a list of parts, even of one text.
    var contentIsParts = false
    /// Whether a message without content has `null` for it, and not the empty text.
    var keepsNullContent = false
    /// Whether the arguments of a tool call are JSON text, and not an object.
    var argumentsAreText = false

    /// The `content` member for a text or its absence.
    func content(_ text: String?) -> JSON {
        guard let text else { return keepsNullContent ? .null : contentIsParts ? [] : "" }
        return contentIsParts ? [["type": "text", "text": .string(text)]] : .string(text)
    }

    /// The form for a template.
    init(of template: Template) {
        contentIsParts =
            !Self.shows("Lorem", [["role": "user", "content": "Lorem"]], template)
            && Self.shows("Lorem", [["role": "user", "content": [["type": "text", "text": "Lorem"]]]], template)
        guard template.mentions("tool_calls") else { return }
        for argumentsAreText in [false, true] {
            for keepsNullContent in [true, false] {
                var form = self
                form.argumentsAreText = argumentsAreText
                form.keepsNullContent = keepsNullContent
                if form.showsToolCall(template) {
                    self = form
                    return
                }
            }
        }
    }

    private static func shows(_ text: String, _ messages: JSON, _ template: Template) -> Bool {
        rendered(messages, template)?.contains(text) ?? false
    }

    /// Whether the template writes a tool call with its arguments, and not Python's words for values that it did not expect.
    private func showsToolCall(_ template: Template) -> Bool {
        let arguments: JSON = argumentsAreText ? #"{"city": "Ipsum"}"# : ["city": "Ipsum"]
        let call: JSON = [
            "id": "call00001", "type": "function", "function": ["name": "look_up", "arguments": arguments],
        ]
        let messages: JSON = [
            ["role": "user", "content": content("Lorem")],
            ["role": "assistant", "content": content(nil), "tool_calls": [call]],
            ["role": "tool", "content": content("Dolor"), "tool_call_id": "call00001", "name": "look_up"],
            ["role": "user", "content": content("Sit")],
        ]
        guard let text = Self.rendered(messages, template) else { return false }
        return text.contains("look_up") && text.contains("Ipsum") && !text.contains("None") && !text.contains("{'city'")
    }

    private static func rendered(_ messages: JSON, _ template: Template) -> String? {
        let tool: JSON = [
            "type": "function",
            "function": [
                "name": "look_up", "description": "Amet",
                "parameters": ["type": "object", "properties": ["city": ["type": "string"]], "required": ["city"]],
            ],
        ]
        var limits = Limits()
        limits.steps = 200_000
        guard let messages = try? Value(messages), let tools = try? Value([tool]),
            let time = LocalTime(year: 2000, month: 1, day: 1)
        else { return nil }
        let variables: [(Text, Value)] = [
            ("messages", messages), ("tools", template.mentions("tool_calls") ? tools : .none), ("documents", .none),
            ("add_generation_prompt", .bool(true)), ("bos_token", .string("")), ("eos_token", .string("")),
        ]
        return try? template.render(variables, now: time, limits: limits)
    }
}
