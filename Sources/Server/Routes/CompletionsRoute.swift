internal import Engine
internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `POST /v1/completions`
enum CompletionsRoute {
    static let route = Route(
        .post, "/v1/completions", access: .key,
        Operation(
            "completions", "Continue one prompt or several, streamed if `stream` is true", tag: "OpenAI",
            body: .reference("CompletionRequest"),
            answers: [
                .jsonOrEvents(
                    "The texts", .reference("Completion"), event: Schema.eventOrDone(.reference("CompletionChunk")))
            ] + Operation.Answer.requestErrors + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        try await respond(to: try await exchange.decode(CompletionRequest.type), exchange)
    }

    private static let spanName = "completions"

    static func respond(to request: CompletionRequest, _ exchange: Exchange) async throws(APIError) -> Response {
        let started = ContinuousClock.now
        let parameters = request.parameters
        exchange.server.metrics.entered(1 + request.prompts.count)
        do throws(APIError) {
            try check(request, exchange.server.options)
        } catch {
            exchange.report(
                error, in: RequestSpan(spanName, parameters: parameters.native.debugText, trace: exchange.trace))
            throw error
        }
        var generations = try parameters.generate(
            request.prompts, parameters.native, as: spanName, exchange, started: started, addSpecial: true,
            wantsLogprobs: false)
        let head = AnswerHead("text_completion", exchange.server)
        let answers = generations.count / request.prompts.count
        if parameters.isStreaming {
            try await generations.awaitStart()
            return stream(generations, head, parameters, answers: answers, exchange)
        }
        let outcomes = try await generations.collectAll()
        let choices = outcomes.enumerated().map { index, outcome in
            Completion.Choice(index: index, text: outcome.text, finish: outcome.finish)
        }
        return .json(HTTPFields(exchange.server, summing: outcomes)) {
            $0.value(Completion(head: head, choices: choices, usage: Usage(outcomes, answers: answers)))
        }
    }

    private static func check(_ request: CompletionRequest, _ options: ServerOptions) throws(APIError) {
        if request.hasSuffix { throw .suffixNotSupported }
        if request.prompts.count > options.maxClientBatchSize {
            throw .batchSizeExceeded(limit: options.maxClientBatchSize)
        }
    }

    /// The last part of each text tells what that text used; where the client asks, one more tells the sum.
    private static func stream(
        _ generations: [ActiveGeneration], _ head: AnswerHead, _ parameters: OpenAIParameters, answers: Int,
        _ exchange: Exchange
    ) -> Response {
        let stream = ChoiceStream(generations: generations) { event, index, generation, writer in
            let choice = Completion.Choice(index: index, text: event.visibleText, finish: event.finish)
            writer.value(
                Completion(head: head, choices: [choice], usage: event.finish == nil ? nil : Usage([generation])))
        } writeEnd: { finished, writer in
            writer.value(Completion(head: head, choices: [], usage: Usage(finished, answers: answers)))
        }
        let characters = generations.reduce(0) { $0 + $1.request.characters }
        return EventStream.response(exchange, headers: HTTPFields(exchange.server, characters: characters)) { events in
            try await stream.send(to: events, withEnd: parameters.includesUsage)
        }
    }
}
