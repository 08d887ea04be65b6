package import JSON

/// How a route is described in the OpenAPI document.
package struct Operation: Sendable {
    /// An answer: a status, what it means, and the schema of each media type that its body may have.
    package struct Answer: Sendable {
        package let status: Int
        package let meaning: String
        package let content: [(type: String, schema: JSON)]

        package init(_ status: Int, _ meaning: String, _ content: [(type: String, schema: JSON)] = []) {
            self.status = status
            self.meaning = meaning
            self.content = content
        }
    }

    package let id: String
    package let summary: String
    package let tag: String
    /// The schema of the body, for routes that take one.
    package let body: JSON?
    package let answers: [Answer]

    package init(_ id: String, _ summary: String, tag: String, body: JSON? = nil, answers: [Answer]) {
        self.id = id
        self.summary = summary
        self.tag = tag
        self.body = body
        self.answers = answers
    }
}

extension Operation.Answer {
    private static let problem: [(type: String, schema: JSON)] = [
        ("application/json", .reference("ErrorResponse")), ("text/plain", ["type": "string"]),
    ]

    /// What every route answers that takes a body.
    package static let requestErrors: [Self] = [
        Self(400, "The body is not JSON", [("text/plain", ["type": "string"])]),
        Self(401, "The API key is missing or wrong"),
        Self(413, "The body is too large", [("text/plain", ["type": "string"])]),
        Self(415, "The content type is not JSON", [("text/plain", ["type": "string"])]),
        Self(422, "The request is not valid", problem),
    ]

    /// What every route answers that generates.
    package static let generationErrors: [Self] = [
        Self(424, "Generation failed", [("application/json", .reference("ErrorResponse"))]),
        Self(429, "The server is full", [("application/json", .reference("ErrorResponse"))]),
        Self(500, "Generation ended early", [("application/json", .reference("ErrorResponse"))]),
    ]

    /// A good answer of one JSON value.
    package static func json(_ meaning: String, _ schema: JSON) -> Self {
        Self(200, meaning, [("application/json", schema)])
    }

    /// A good answer that is one JSON value or a stream of events, as the request wants.
    package static func jsonOrEvents(_ meaning: String, _ schema: JSON, event: JSON) -> Self {
        Self(200, meaning, [("application/json", schema), ("text/event-stream", event)])
    }
}
