internal import HTTPTypes
internal import HummingbirdCore

/// `POST /`: `/generate` in an array of one, or `/generate_stream`, as the request says.
enum CompatGenerateRoute {
    static let route = Route(
        .post, "/", access: .key,
        Operation(
            "compat_generate", "Generate text, streamed if `stream` is true", tag: "Text generation",
            body: .reference("CompatGenerateRequest"),
            answers: [
                .jsonOrEvents(
                    "The text", Schema.array(.reference("GenerateResponse")),
                    event: Schema.event(.reference("StreamResponse")))
            ] + Operation.Answer.requestErrors + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        try await respond(to: try await exchange.decode(GenerateRequest.compatType), exchange)
    }

    /// The prompt stands before the text unless the request says otherwise: so TGI does for a model that it has no tag for.
    static func respond(to request: GenerateRequest, _ exchange: Exchange) async throws(APIError) -> Response {
        if request.stream {
            return try await GenerateStreamRoute.respond(
                to: request, exchange, as: "compat_generate:generate_stream", fullText: true)
        }
        return try await GenerateRoute.respond(
            to: request, exchange, as: "compat_generate:generate", fullText: true, asArray: true)
    }
}
