internal import HTTPTypes
internal import JSON

/// `POST /invocations`: SageMaker's single way in; the body says which route is meant.
enum InvocationsRoute {
    static let route = Route(
        .post, "/invocations", access: .key,
        Operation(
            "sagemaker_compatibility", "Generate text, in the form of any other route", tag: "Text generation",
            body: ["oneOf": .array(forms.map { .reference($0.schema) })],
            answers: [
                .jsonOrEvents(
                    "What the other route answers", Schema.anything, event: Schema.eventOrDone(Schema.anything))
            ] + Operation.Answer.requestErrors + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        try await exchange.decode(requestType).answer(exchange)
    }

    /// A request that has been read, and how it is answered.
    struct Invocation: Sendable {
        let answer: Route.Handler

        static func chat(_ request: ChatRequest) -> Invocation {
            Invocation { (exchange) throws(APIError) in
                try await ChatCompletionsRoute.respond(to: request, exchange)
            }
        }

        static func complete(_ request: CompletionRequest) -> Invocation {
            Invocation { (exchange) throws(APIError) in try await CompletionsRoute.respond(to: request, exchange) }
        }

        static func generate(_ request: GenerateRequest) -> Invocation {
            Invocation { (exchange) throws(APIError) in try await CompatGenerateRoute.respond(to: request, exchange) }
        }
    }

    /// A member that only one form of request has, the schema of that form, and how such a body is read.
    private static let forms: [(key: String, schema: String, type: FieldType<Invocation>)] = [
        ("inputs", "CompatGenerateRequest", GenerateRequest.compatType.map(Invocation.generate)),
        ("messages", "ChatRequest", ChatRequest.type.map(Invocation.chat)),
        ("prompt", "CompletionRequest", CompletionRequest.type.map(Invocation.complete)),
    ]

    private static let requestType = FieldType<Invocation> { (json) throws(DecodingFailure) in
        for form in forms where json[form.key] != nil { return try form.type.read(json) }
        throw DecodingFailure("data did not match any variant of untagged enum SagemakerRequest")
    }
}
