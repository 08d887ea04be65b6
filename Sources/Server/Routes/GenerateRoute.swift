internal import JSON
internal import HTTPTypes
internal import HummingbirdCore

/// `POST /generate`: the whole answer as one JSON object.
enum GenerateRoute {
    static let route = Route(
        .post, "/generate", access: .key,
        Operation(
            "generate", "Generate text", tag: "Text generation", body: .reference("GenerateRequest"),
            answers: [.json("The text", .reference("GenerateResponse"))]
                + Operation.Answer.requestErrors + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        let request = try await exchange.decode(GenerateRequest.type)
        return try await respond(to: request, exchange, as: "generate", fullText: false)
    }

    /// Answers a request of one of the native routes that do not stream.
    /// - Parameters:
    ///   - fullText: Whether the prompt stands before the text where the request does not say.
    ///   - asArray: Whether the answer is an array of one.
    static func respond(
        to request: GenerateRequest, _ exchange: Exchange, as spanName: String, fullText: Bool, asArray: Bool = false
    ) async throws(APIError) -> Response {
        let started = ContinuousClock.now
        exchange.server.metrics.entered()
        let outcomes = try await exchange.generate(
            request.inputs, request.parameters, as: spanName, isStreaming: false, started: started
        ).collectAll()
        let answer = GenerateResponse(outcomes, fullText: request.parameters.returnFullText ?? fullText)
        return .json(.init(exchange.server, answer.best)) { writer in
            if asArray { writer.value([answer]) } else { writer.value(answer) }
        }
    }
}
