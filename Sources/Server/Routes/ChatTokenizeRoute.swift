internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `POST /chat_tokenize`: the text that a chat template makes of a conversation, and its tokens.
enum ChatTokenizeRoute {
    static let route = Route(
        .post, "/chat_tokenize", access: .key,
        Operation(
            "chat_tokenize", "Write a conversation with the chat template and split it into tokens",
            tag: "Text generation", body: .reference("ChatRequest"),
            answers: [.json("The text and its tokens", .reference("ChatTokenizeResponse"))]
                + Operation.Answer.requestErrors)
    ) { (exchange) throws(APIError) in
        let request = try await exchange.decode(ChatRequest.type)
        exchange.server.metrics.entered()
        let text = try ChatPrompt(request, as: "chat_tokenize", exchange).text
        let tokens = SimpleToken.tokens(of: text, exchange.server.tokenizer, addSpecial: false)
        return .json { writer in
            writer.beginObject()
            writer.member("tokenize_response", tokens)
            writer.member("templated_text", text)
            writer.endObject()
        }
    }
}
