import JSON
import NIOCore
import NIOPosix

/// An HTTP/1.1 client on a connection of its own, which can read a stream frame by frame and hang up in its middle.
///
/// Used by one task at a time.
final class Client {
    struct Answer {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSON { get throws { try JSON.parse(body) } }

        /// Payloads of the events of a stream.
        var events: [String] {
            text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
        }
    }

    struct Closed: Error {}

    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private let inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    private nonisolated(unsafe) var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var buffer: [UInt8] = []
    private var isChunked = false

    /// Connects, runs `body` and closes.
    static func connected<Result: Sendable>(
        to port: Int, readBuffer: Int? = nil, _ body: (Client) async throws -> Result
    ) async throws -> Result {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let readBuffer { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(readBuffer)) }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(Client(channel, inbound, outbound))
        }
    }

    private init(
        _ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound
        unsafe iterator = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    // MARK: Requests

    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws {
        var text = "\(method) \(path) HTTP/1.1\r\nhost: localhost\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "content-length: \(body.count)\r\n" }
        text += "\r\n"
        try await send(raw: Array(text.utf8) + (body ?? []))
    }

    func send(raw bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Sends a request and reads the whole answer.
    func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> Answer {
        try await send(method, path, headers: headers, body: body)
        var answer = try await readHead()
        if method != "HEAD" { answer.body = try await readBody(answer) }
        return answer
    }

    // MARK: Answers

    func readHead() async throws -> Answer {
        var answer = Answer()
        repeat {
            let line = try await readLine()
            answer.status = Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
            answer.headers = [:]
            while true {
                let line = try await readLine()
                guard !line.isEmpty, let colon = line.firstIndex(of: ":") else { break }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                answer.headers[line[..<colon].lowercased()] = String(value)
            }
        } while answer.status == 100
        isChunked = answer.headers["transfer-encoding"] == "chunked"
        return answer
    }

    func readBody(_ answer: Answer) async throws -> [UInt8] {
        if isChunked {
            var body: [UInt8] = []
            while let chunk = try await readChunk() { body += chunk }
            return body
        }
        return try await read(count: Int(answer.headers["content-length"] ?? "0") ?? 0)
    }

    /// The next chunk of a chunked body; `nil` behind the last. The server sends each event as a chunk of its own.
    func readChunk() async throws -> [UInt8]? {
        let size = Int(try await readLine(), radix: 16) ?? 0
        let chunk = try await read(count: size)
        _ = try await readLine()
        return size == 0 ? nil : chunk
    }

    /// Whether the server closes the connection without another byte.
    func readsEnd() async -> Bool {
        guard buffer.isEmpty else { return false }
        return (try? await fill()) == nil
    }

    private func readLine() async throws -> String {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                return line.hasSuffix("\r\n") || line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            try await fill()
        }
    }

    private func read(count: Int) async throws -> [UInt8] {
        while buffer.count < count { try await fill() }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    private func fill() async throws {
        guard let next = try await unsafe iterator.next() else { throw Closed() }
        buffer += next.readableBytesView
    }
}

extension String {
    func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
