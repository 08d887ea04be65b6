internal import JSON

/// The body of a completion request.
struct CompletionRequest: Sendable {
    /// One at least.
    let prompts: [String]
    let parameters: OpenAIParameters
    let hasSuffix: Bool

    static var type: FieldType<CompletionRequest> {
        .object("CompletionRequest") { (members) throws(DecodingFailure) in
            CompletionRequest(
                prompts: try members.required("prompt", promptType),
                parameters: try OpenAIParameters(members, lengthKeys: "max_tokens"),
                hasSuffix: try members.optional("suffix", .string) != nil)
        }
    }

    private static let promptType = FieldType<[String]> { (json) throws(DecodingFailure) in
        if let text = json.stringValue { return [text] }
        guard json.arrayValue != nil else { throw .invalidType(json, expected: "a string or an array of strings") }
        let prompts = try FieldType<[String]>.array(of: .string).read(json)
        guard !prompts.isEmpty else {
            throw DecodingFailure("Empty array detected. Do not use an empty array for the prompt.")
        }
        return prompts
    }
}
