package import JSON

/// The messages of a chat request, checked and brought into one form.
///
/// A message is an object with a `role` and a `content`. The content is a text, or parts of one; only a message with `tool_calls` may
/// go without. Members that clients send as `null` count as absent; those not known here reach the template as they are.
package struct ChatMessages: Sendable {
    /// A message whose content is text, or absent.
    package struct Message: Sendable {
        package let role: String
        package fileprivate(set) var content: String?
        /// The other members. The `arguments` of tool calls are objects wherever their text is one.
        package let members: JSONObject
    }

    package private(set) var messages: [Message]

    /// - Parameter json: An array of messages.
    /// - Throws: ``ChatError/Kind/input``, for what is no message.
    package init(_ json: JSON) throws(ChatError) {
        guard let items = json.arrayValue else { throw ChatError(.input, "messages: expected an array") }
        var messages: [Message] = []
        for (index, item) in items.enumerated() {
            guard let members = item.objectValue else {
                throw ChatError(.input, "messages[\(index)]: expected an object")
            }
            messages.append(try Self.message(members, at: "messages[\(index)]"))
        }
        self.messages = messages
    }

    private static func message(_ members: JSONObject, at place: String) throws(ChatError) -> Message {
        guard let role = members["role"]?.stringValue else { throw ChatError(.input, "\(place): missing field `role`") }
        var rest = JSONObject()
        for (key, value) in members where key != "role" && key != "content" && !value.isNull { rest[key] = value }
        if let calls = rest["tool_calls"] {
            guard let calls = calls.arrayValue else {
                throw ChatError(.input, "\(place).tool_calls: expected an array")
            }
            var checked: [JSON] = []
            for (index, call) in calls.enumerated() {
                checked.append(try toolCall(call, at: "\(place).tool_calls[\(index)]"))
            }
            rest["tool_calls"] = .array(checked)
        }
        let content = try text(members["content"], at: "\(place).content")
        guard content != nil || rest["tool_calls"] != nil else {
            throw ChatError(.input, "\(place): expected `content` or `tool_calls`")
        }
        return Message(role: role, content: content, members: rest)
    }

    /// A text, or the texts of parts one behind the other. An image becomes a link in Markdown.
    private static func text(_ content: JSON?, at place: String) throws(ChatError) -> String? {
        switch content {
        case nil, .null: return nil
        case .string(let text): return text
        case .array(let parts):
            var text = ""
            for (index, part) in parts.enumerated() {
                switch part["type"]?.stringValue {
                case "text":
                    guard let piece = part["text"]?.stringValue else {
                        throw ChatError(.input, "\(place)[\(index)]: missing field `text`")
                    }
                    text += piece
                case "image_url":
                    guard let url = part["image_url"]?["url"]?.stringValue else {
                        throw ChatError(.input, "\(place)[\(index)]: missing field `image_url`")
                    }
                    text += "![](\(url))"
                default: throw ChatError(.input, "\(place)[\(index)]: expected `text` or `image_url` as its type")
                }
            }
            return text
        default: throw ChatError(.input, "\(place): expected a string or an array of parts")
        }
    }

    /// A tool call with an `id` and a `function` that has a `name` and `arguments`, also where these are called `parameters` or
    /// come as text.
    private static func toolCall(_ json: JSON, at place: String) throws(ChatError) -> JSON {
        guard var call = json.objectValue else { throw ChatError(.input, "\(place): expected an object") }
        guard call["id"]?.stringValue != nil else { throw ChatError(.input, "\(place): missing field `id`") }
        guard var function = call["function"]?.objectValue else {
            throw ChatError(.input, "\(place): missing field `function`")
        }
        guard function["name"]?.stringValue != nil else { throw ChatError(.input, "\(place): missing field `name`") }
        guard let arguments = function["arguments"] ?? function["parameters"] else {
            throw ChatError(.input, "\(place): missing field `arguments`")
        }
        function["parameters"] = nil
        function["arguments"] = arguments.stringValue.flatMap(object) ?? arguments
        if call["type"]?.stringValue == nil { call["type"] = "function" }
        call["function"] = .object(function)
        return .object(call)
    }

    /// The object that a text holds, if that is what it holds.
    private static func object(_ text: String) -> JSON? {
        guard let json = try? JSON.parse(text), json.objectValue != nil else { return nil }
        return json
    }
}

extension ChatMessages {
    /// One message of a user, behind the system's if there is one.
    package init(system: String? = nil, user: String) {
        func message(_ role: String, _ text: String) -> Message {
            Message(role: role, content: text, members: JSONObject())
        }
        messages = (system.map { [message("system", $0)] } ?? []) + [message("user", user)]
    }

    /// Puts a text behind the last message, unless that is made of tool calls.
    mutating func append(_ text: String) {
        guard let last = messages.indices.last, messages[last].members["tool_calls"] == nil else { return }
        messages[last].content = (messages[last].content ?? "") + text
    }

    /// The messages as a template wants them.
    func json(for form: MessageForm) -> JSON {
        .array(
            messages.map { message in
                var object = JSONObject()
                object["role"] = .string(message.role)
                object["content"] = form.content(message.content)
                for (key, value) in message.members { object[key] = value }
                if form.argumentsAreText, let calls = message.members["tool_calls"]?.arrayValue {
                    object["tool_calls"] = .array(calls.map(Self.withTextArguments))
                }
                return .object(object)
            })
    }

    private static func withTextArguments(_ json: JSON) -> JSON {
        guard var call = json.objectValue, var function = call["function"]?.objectValue,
            let arguments = function["arguments"], arguments.stringValue == nil
        else { return json }
        function["arguments"] = .string(arguments.text(style: .spaced))
        call["function"] = .object(function)
        return .object(call)
    }
}
