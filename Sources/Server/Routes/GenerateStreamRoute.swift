internal import Engine
internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `POST /generate_stream`: an event per token.
enum GenerateStreamRoute {
    static let route = Route(
        .post, "/generate_stream", access: .key,
        Operation(
            "generate_stream", "Generate text as a stream of events", tag: "Text generation",
            body: .reference("GenerateRequest"),
            answers: [
                Operation.Answer(
                    200, "The tokens", [("text/event-stream", Schema.event(.reference("StreamResponse")))])
            ] + Operation.Answer.requestErrors + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        let request = try await exchange.decode(GenerateRequest.type)
        return try await respond(to: request, exchange, as: "generate_stream", fullText: false)
    }

    /// Answers a request of one of the native routes that stream.
    static func respond(
        to request: GenerateRequest, _ exchange: Exchange, as spanName: String, fullText: Bool
    ) async throws(APIError) -> Response {
        let started = ContinuousClock.now
        exchange.server.metrics.entered()
        var generation = try exchange.generate(
            request.inputs, request.parameters, as: spanName, isStreaming: true, started: started)[0]
        try await generation.awaitStart()
        let prefix = request.parameters.returnFullText ?? fullText ? request.inputs : ""
        let headers = HTTPFields(exchange.server, characters: generation.request.characters)
        return EventStream.response(exchange, headers: headers) { [generation] events in
            try await send(generation, prefix: prefix, to: events)
        }
    }

    private static func send(
        _ generation: ActiveGeneration, prefix: String, to events: EventWriter
    ) async throws {
        var generation = generation
        var text = prefix
        do {
            while let event = try await generation.next() {
                text += event.visibleText
                let answer = StreamResponse(
                    index: generation.generatedTokens, event: event,
                    generatedText: event.finish == nil ? nil : text,
                    details: generation.request.parameters.details
                        ? event.finish.map { StreamDetails($0, of: generation) } : nil)
                try await events.send { $0.value(answer) }
            }
        } catch let error as APIError {
            try await events.send { $0.value(error) }
        } catch {
            generation.abandon()
            throw error
        }
    }
}

extension StreamDetails {
    fileprivate init(_ finish: FinishReason, of generation: ActiveGeneration) {
        self.init(
            finish: finish, generatedTokens: generation.generatedTokens, seed: generation.seed,
            inputLength: generation.request.inputLength)
    }
}
