internal import HTTPTypes
internal import Engine
package import HummingbirdCore
internal import JSON
internal import Logging
internal import NIOCore

/// One request on its way to an answer.
package struct Exchange: Sendable {
    package let server: ServerContext
    package let request: Request
    /// When its head had arrived.
    package let received: ContinuousClock.Instant
    package let trace: TraceParent?
    package let disconnection = Disconnection()
    private let channel: any Channel

    init(server: ServerContext, request: Request, channel: any Channel) {
        self.server = server
        self.request = request
        self.channel = channel
        received = .now
        trace = request.headers[.traceparent].flatMap(TraceParent.init)
    }

    /// Calls `action` once if the client hangs up before it has its answer.
    package func onDisconnect(_ action: @escaping @Sendable () -> Void) {
        guard disconnection.add(action) else { return }
        let disconnection = disconnection
        ConnectionGuard.onClose(of: channel) { disconnection.happen() }
    }
}

// MARK: - Body

extension Exchange {
    /// Reads the body as JSON of a shape.
    package func decode<Value>(_ type: FieldType<Value>) async throws(APIError) -> Value {
        guard let contentType = request.headers[.contentType], Self.isJSON(contentType) else {
            throw .unsupportedMediaType
        }
        let bytes = try await body()
        let json: JSON
        do { json = try JSON.parse(bytes) } catch { throw .malformed(error.serdeDescription) }
        do { return try type.read(json) } catch { throw .mismatched(error.description(in: bytes.span)) }
    }

    /// `application/json` or `application/…+json`, with or without parameters.
    static func isJSON(_ contentType: String) -> Bool {
        let essence = contentType.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        return essence == "application/json" || essence.hasPrefix("application/") && essence.hasSuffix("+json")
    }

    private func body() async throws(APIError) -> [UInt8] {
        let limit = server.options.payloadLimit
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw .payloadTooLarge }
        let deadline = channel.eventLoop.scheduleTask(in: .init(server.options.timeouts.requestBody)) { [channel] in
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        var bytes: [UInt8] = []
        do {
            for try await buffer in request.body {
                guard bytes.count + buffer.readableBytes <= limit else { throw APIError.payloadTooLarge }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
        } catch let error as APIError {
            throw error
        } catch {
            throw .incompleteRequest
        }
        return bytes
    }
}

extension JSONError {
    /// The problem in serde_json's words where it has some.
    fileprivate var serdeDescription: String {
        let text: String =
            switch problem {
            case .unexpectedEnd: "EOF while parsing a value"
            case .expectedKey: "key must be a string"
            case .trailingText: "trailing characters"
            case .controlCharacter: "control character (\\u0000-\\u001F) found while parsing a string"
            case .loneSurrogate: "lone leading surrogate in hex escape"
            case .invalidUTF8: "invalid unicode code point"
            case .tooDeep: "recursion limit exceeded"
            default: problem.description
            }
        return "\(text) at line \(line) column \(column)"
    }
}
