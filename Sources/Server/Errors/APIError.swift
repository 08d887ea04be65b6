package import Engine
package import HTTPTypes
package import HummingbirdCore
package import JSON
internal import NIOCore

/// What a client is told when its request fails: the one place where errors become statuses and bodies.
///
/// Statuses, `error_type` and texts are TGI's.
package struct APIError: Error, Sendable, Equatable {
    /// The form of the body.
    package enum Body: Sendable, Equatable {
        case empty
        case plain(String)
        /// `{"error": …, "error_type": …}`
        case json(error: String, type: String)
    }

    package let status: HTTPResponse.Status
    package let body: Body
    /// The label `err` under which `tgi_request_failure` counts it; `nil` where it does not.
    package let failure: FailureReason?
    package var headers = HTTPFields()

    package init(status: HTTPResponse.Status, body: Body, failure: FailureReason? = nil) {
        self.status = status
        self.body = body
        self.failure = failure
    }

    private init(
        _ status: HTTPResponse.Status, type: String, _ error: String, failure: FailureReason? = nil
    ) {
        self.init(status: status, body: .json(error: error, type: type), failure: failure)
    }

    /// The text for a log line.
    package var message: String {
        switch body {
        case .empty: status.reasonPhrase
        case .plain(let text): text
        case .json(let error, _): error
        }
    }
}

// MARK: - Errors of a request's form

extension APIError {
    package static let unauthorized = APIError(status: .unauthorized, body: .empty)
    package static let notFound = APIError(status: .notFound, body: .empty)
    package static let payloadTooLarge = APIError(
        status: .contentTooLarge, body: .plain("Failed to buffer the request body: length limit exceeded"))
    package static let unsupportedMediaType = APIError(
        status: .unsupportedMediaType,
        body: .plain("Expected request with `Content-Type: application/json`"))
    /// The client hung up before its request was complete.
    package static let incompleteRequest = APIError(
        status: .badRequest, body: .plain("Failed to buffer the request body: the connection was closed"))

    package static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> APIError {
        var error = APIError(status: .methodNotAllowed, body: .empty)
        error.headers[.allow] = allowed.map(\.rawValue).joined(separator: ",")
        return error
    }

    /// The body is not JSON.
    package static func malformed(_ problem: String) -> APIError {
        APIError(
            status: .badRequest, body: .plain("Failed to parse the request body as JSON: \(problem)"))
    }

    /// The body is JSON of another shape.
    package static func mismatched(_ problem: String) -> APIError {
        APIError(
            status: .unprocessableContent,
            body: .plain("Failed to deserialize the JSON body into the target type: \(problem)"))
    }
}

// MARK: - Errors of generation

extension APIError {
    package static func validation(_ message: String) -> APIError {
        APIError(
            .unprocessableContent, type: "validation", "Input validation error: \(message)", failure: .validation)
    }

    package static let overloaded = APIError(
        .tooManyRequests, type: "overloaded", "Model is overloaded", failure: .overloaded)

    package static func generation(_ message: String) -> APIError {
        APIError(
            .init(code: 424, reasonPhrase: "Failed Dependency"), type: "generation",
            "Request failed during generation: \(message)",
            failure: .generation)
    }

    package static let incompleteGeneration = APIError(
        .internalServerError, type: "incomplete_generation", "Incomplete generation", failure: .incomplete)
    package static let incompleteGenerationStream = APIError(
        .internalServerError, type: "incomplete_generation_stream", "Incomplete generation stream",
        failure: .incomplete)

    /// What the vertex route answers whatever failed.
    package static let vertexIncompleteGeneration = APIError(
        .internalServerError, type: "Incomplete generation", "Incomplete generation")
    package static let vertexNoInstances = APIError(
        .unprocessableContent, type: "Input validation error", "Input validation error", failure: .validation)

    package static func template(_ message: String) -> APIError {
        APIError(.unprocessableContent, type: "template_error", "Template error: \(message)", failure: .template)
    }

    /// The model has no chat template.
    package static let templateNotFound = APIError(
        .unprocessableContent, type: "template_error", "Template error: template not found")

    package static func tool(_ message: String) -> APIError {
        APIError(.unprocessableContent, type: "tool_error", "Tool error: \(message)", failure: .validation)
    }

    package static let suffixNotSupported = APIError(
        .unprocessableContent, type: "suffix not supported",
        "Suffix is not supported and can be achieved by preprocessing the prompt.")

    package static func batchSizeExceeded(limit: Int) -> APIError {
        APIError(
            .unprocessableContent, type: "batch size exceeded",
            "Number of prompts exceeds the maximum allowed batch size of \(limit)")
    }

    package static let unhealthy = APIError(.serviceUnavailable, type: "healthcheck", "unhealthy")

    /// How an error of the engine looks to a client.
    package init(_ error: EngineError) {
        switch error {
        case .emptyPrompt: self = .validation("`inputs` cannot be empty")
        case .promptTooLong(let tokens, let context):
            self = .validation("`inputs` must have less than \(context) tokens. Given: \(tokens)")
        case .sampling(.parameter(let name, let requirement)): self = .validation("`\(name)` \(requirement)")
        default: self = .generation("\(error)")
        }
    }
}

extension APIError {
    /// The answer that a client gets.
    package var response: Response {
        var headers = headers
        switch body {
        case .empty: return Response(status: status, headers: headers)
        case .plain(let text):
            headers[.contentType] = "text/plain; charset=utf-8"
            return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
        case .json:
            headers[.contentType] = "application/json"
            var writer = JSONWriter()
            write(to: &writer)
            return Response(
                status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: writer.bytes)))
        }
    }
}

extension APIError: JSONWritable {
    /// `{"error": …, "error_type": …}`, also for an error whose own body is none.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("error", message)
        if case .json(_, let type) = body { writer.member("error_type", type) }
        writer.endObject()
    }
}
