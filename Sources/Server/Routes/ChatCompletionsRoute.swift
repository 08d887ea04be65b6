internal import Engine
internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `POST /v1/chat/completions`
enum ChatCompletionsRoute {
    static let route = Route(
        .post, "/v1/chat/completions", access: .key,
        Operation(
            "chat_completions", "Answer a conversation, streamed if `stream` is true", tag: "OpenAI",
            body: .reference("ChatRequest"),
            answers: [
                .jsonOrEvents(
                    "The answer", .reference("ChatCompletion"),
                    event: Schema.eventOrDone(.reference("ChatCompletionChunk")))
            ] + Operation.Answer.requestErrors + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        try await respond(to: try await exchange.decode(ChatRequest.type), exchange)
    }

    static let spanName = "chat_completions"

    static func respond(to request: ChatRequest, _ exchange: Exchange) async throws(APIError) -> Response {
        let started = ContinuousClock.now
        exchange.server.metrics.entered()
        let prompt = try ChatPrompt(request, as: spanName, exchange)
        var generations = try request.parameters.generate(
            [prompt.text], prompt.parameters, as: spanName, exchange, started: started, addSpecial: false,
            wantsLogprobs: request.wantsLogprobs)
        if request.parameters.isStreaming {
            try await generations.awaitStart()
            return stream(generations, request, exchange)
        }
        let outcomes = try await generations.collectAll()
        let head = AnswerHead("chat.completion", exchange.server, model: request.parameters.model)
        let headers =
            outcomes.count == 1
            ? HTTPFields(exchange.server, outcomes[0]) : HTTPFields(exchange.server, summing: outcomes)
        return .json(headers) {
            $0.value(ChatCompletion(head: head, outcomes: outcomes, showsLogprobs: request.wantsLogprobs))
        }
    }

    private static func stream(
        _ generations: [ActiveGeneration], _ request: ChatRequest, _ exchange: Exchange
    ) -> Response {
        let head = AnswerHead("chat.completion.chunk", exchange.server, model: request.parameters.model)
        let showsLogprobs = request.wantsLogprobs
        let answers = generations.count
        let stream = ChoiceStream(generations: generations) { event, index, _, writer in
            writer.value(ChatChunk(head: head, content: .token(event, index: index, showsLogprobs: showsLogprobs)))
        } writeEnd: { finished, writer in
            writer.value(ChatChunk(head: head, content: .usage(Usage(finished, answers: answers))))
        }
        let headers = HTTPFields(exchange.server, characters: generations[0].request.characters)
        return EventStream.response(exchange, headers: headers) { events in
            try await stream.send(to: events, withEnd: request.parameters.includesUsage)
        }
    }
}
