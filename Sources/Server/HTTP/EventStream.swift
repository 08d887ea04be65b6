package import HTTPTypes
package import HummingbirdCore
package import JSON
internal import NIOCore
internal import Synchronization

/// An answer as server-sent events: each `data: ` and one line of JSON, and comments while there is nothing to say.
package enum EventStream {
    /// - Parameters:
    ///   - headers: Those that the stream adds to its own.
    ///   - write: Sends the events; when it returns the stream ends. It is not called for a client that is gone.
    package static func response(
        _ exchange: Exchange, headers: HTTPFields = HTTPFields(),
        _ write: @escaping @Sendable (EventWriter) async throws -> Void
    ) -> Response {
        var headers = headers
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-cache"
        headers[.accelBuffering] = "no"
        let silence = exchange.server.options.timeouts.keepAlive
        let body = ResponseBody { writer in
            let events = EventWriter(writer)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await events.keepAlive(every: silence) }
                try await write(events)
                group.cancelAll()
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}

/// The writing end of a stream of events.
package final class EventWriter: Sendable {
    private struct Buffer {
        var json = JSONWriter()
    }

    // What a response body writes to is a handle to the connection, which takes whole parts from any task.
    private nonisolated(unsafe) let writer: any ResponseBodyWriter
    private let buffer = Mutex(Buffer())
    private let writes = Atomic(0)

    fileprivate init(_ writer: any ResponseBodyWriter) { unsafe self.writer = writer }

    /// Sends one event; waits while the client is behind.
    package func send(_ body: (inout JSONWriter) -> Void) async throws {
        let part = buffer.withLock { buffer in
            buffer.json.removeAll()
            buffer.json.raw("data: ")
            body(&buffer.json)
            buffer.json.raw("\n\n")
            return ByteBuffer(bytes: buffer.json.bytes)
        }
        try await write(part)
    }

    /// Sends `data: [DONE]`, which ends the streams of OpenAI's routes.
    package func sendDone() async throws { try await write(ByteBuffer(string: "data: [DONE]\n\n")) }

    private func write(_ part: ByteBuffer) async throws {
        writes.wrappingAdd(1, ordering: .relaxed)
        var writer = unsafe writer
        try await writer.write(part)
    }

    /// Sends a comment whenever nothing was sent for a while, until it is cancelled.
    fileprivate func keepAlive(every silence: Duration) async throws {
        let ticks = 8
        var quiet = 0
        var seen = writes.load(ordering: .relaxed)
        while true {
            do { try await Task.sleep(for: silence / ticks) } catch { return }
            let now = writes.load(ordering: .relaxed)
            quiet = now == seen ? quiet + 1 : 0
            if quiet == ticks {
                try await write(ByteBuffer(string: ":\n\n"))
                quiet = 0
            }
            seen = writes.load(ordering: .relaxed)
        }
    }
}
