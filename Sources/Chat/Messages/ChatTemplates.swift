/// The chat templates that a model comes with: one for conversations, and perhaps another for those with tools.
///
/// A template that cannot be read is kept as what is wrong with it: it fails the requests that need it, and no others.
package struct ChatTemplates: Sendable {
    package let plain: Result<ChatTemplate, ChatError>?
    package let forTools: Result<ChatTemplate, ChatError>?

    /// - Parameter lookup: The string under a metadata key of the model's file.
    package init(lookup: (String) -> String?) {
        let key = "tokenizer.chat_template"
        plain = (lookup(key) ?? lookup(key + ".default")).map(Self.read)
        forTools = lookup(key + ".tool_use").map(Self.read)
    }

    /// One template for everything.
    package init(source: String) {
        plain = Self.read(source)
        forTools = nil
    }

    /// The template for a conversation with tools or without, or `nil` where the model has none.
    package func template(hasTools: Bool) throws(ChatError) -> ChatTemplate? {
        try (hasTools ? forTools ?? plain : plain)?.get()
    }

    private static func read(_ source: String) -> Result<ChatTemplate, ChatError> {
        Result { () throws(ChatError) in try ChatTemplate(source: source) }
    }
}
