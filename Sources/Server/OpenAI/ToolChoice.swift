internal import JSON

/// Whether the model may, must or must not call a tool, and which.
enum ToolChoice: Sendable, Equatable {
    case auto
    case none
    case required
    case named(String)

    static let type = FieldType<ToolChoice> { (json) throws(DecodingFailure) in
        switch json.stringValue {
        case "auto": return .auto
        case "none": return .none
        case "required": return .required
        case let name?: return .named(name)
        case nil:
            guard json.objectValue != nil else { throw .invalidType(json, expected: "a string or a function") }
            guard let name = json["function"]?["name"]?.stringValue else {
                throw DecodingFailure("data did not match any variant of untagged enum ToolChoice")
            }
            return .named(name)
        }
    }
}

/// A tool in OpenAI's form: a function with a name, perhaps a description, and a schema of its parameters.
enum Tool {
    static let type = FieldType<JSON>.object("Tool") { (members) throws(DecodingFailure) in
        var tool = members.object
        tool["type"] = .string(try members.optional("type", .string) ?? "function")
        tool["function"] = try members.required("function", function)
        return .object(tool)
    }

    /// The schema may also be called `arguments`, as TGI calls it.
    private static let function = FieldType<JSON>.object("FunctionDefinition") { (members) throws(DecodingFailure) in
        var function = members.object
        function["name"] = .string(try members.required("name", .string))
        if try members.optional("description", .string) == nil { function["description"] = nil }
        if !members.has("parameters") {
            guard members.has("arguments") else { throw .missing("parameters") }
            function["parameters"] = function["arguments"]
            function["arguments"] = nil
        }
        return .object(function)
    }

    static func name(of tool: JSON) -> String? { tool["function"]?["name"]?.stringValue }
}
