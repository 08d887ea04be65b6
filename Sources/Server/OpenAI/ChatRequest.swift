internal import Chat
internal import JSON

/// The body of a chat request.
struct ChatRequest: Sendable {
    let messages: ChatMessages
    let parameters: OpenAIParameters
    /// `nil` where the request has none, which is not the same as an empty list.
    let tools: [JSON]?
    let toolChoice: ToolChoice
    let toolPrompt: String?
    /// What the answer has to look like; `nil` for text.
    let responseFormat: JSON?
    let wantsLogprobs: Bool
    let topLogprobs: UInt32?
    /// More variables for the template.
    let templateVariables: JSONObject

    static var type: FieldType<ChatRequest> {
        .object("ChatRequest") { (members) throws(DecodingFailure) in try ChatRequest(members) }
    }

    private init(_ members: Members) throws(DecodingFailure) {
        let json = try members.required("messages", .json)
        guard json.arrayValue != nil else { throw .invalidType(json, expected: "a sequence").within(.key("messages")) }
        do { messages = try ChatMessages(json) } catch { throw DecodingFailure(error.message) }
        parameters = try OpenAIParameters(members, lengthKeys: "max_tokens", "max_completion_tokens")
        tools = try members.optional("tools", .array(of: Tool.type))
        toolChoice = try members.optional("tool_choice", ToolChoice.type) ?? .auto
        toolPrompt = try members.optional("tool_prompt", .string)
        responseFormat = try members.optional("response_format", Self.format)?.value
        wantsLogprobs = try members.optional("logprobs", .bool) ?? false
        topLogprobs = try members.optional("top_logprobs", .u32)
        templateVariables = try members.optional("chat_template_kwargs", Self.variables) ?? JSONObject()
    }

    private struct Format { let value: JSON? }

    private static let format = FieldType<Format> { (json) throws(DecodingFailure) in
        guard let object = json.objectValue else { throw .invalidType(json, expected: "a response format") }
        guard let type = object["type"] else { throw .missing("type") }
        switch type.stringValue {
        case "text": return Format(value: nil)
        case "json", "json_object", "json_schema", "regex": return Format(value: json)
        default:
            throw DecodingFailure(
                "unknown variant \(type.text()), expected one of `text`, `json`, `json_object`, `json_schema`, `regex`")
        }
    }

    private static let variables = FieldType<JSONObject>("a map") { $0.objectValue }
}
