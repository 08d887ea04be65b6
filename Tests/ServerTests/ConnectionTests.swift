internal import Engine
import JSON
import Server
import Synchronization
import Testing

/// Clients that hang up, do not read, dawdle, or come again.
struct ConnectionTests {
    static let json = [("content-type", "application/json")]
    static let hello = Array(#"{"inputs":"Hi"}"#.utf8)
    /// Tokens at a pace, without end.
    static let slowly: ScriptedEngine.Script = { _ in
        (0..<10_000).flatMap { _ in [.pause(.milliseconds(10)), .token(TestServer.story[0])] }
    }

    @Test func `40: a client that hangs up in a stream ends its generation`() async throws {
        try await TestServer.run(Self.slowly) { server in
            try await Client.connected(to: server.port) { client in
                try await client.send("POST", "/generate_stream", headers: Self.json, body: Self.hello)
                _ = try await client.readHead()
                for _ in 0..<3 { _ = try await client.readChunk() }
            }
            #expect(await server.eventually { server.engine.counts.running == 0 })
            #expect(server.engine.counts.cancelled == 1)
            #expect(server.engine.counts.tokens < 5000)
            let isCounted = try await server.eventually {
                try await server.metric(#"tgi_request_failure{err="dropped"}"#) == "1"
            }
            #expect(isCounted)
            #expect(try await server.metric("tgi_request_success") == nil)
        }
    }

    @Test(arguments: ["/generate", "/generate_stream", "/", "/vertex"])
    func `40: also while the prompt is read and nothing was sent`(path: String) async throws {
        try await TestServer.run({ _ in [.silence] }, configure: { $0.maxConcurrentRequests = 1 }) { server in
            try await Client.connected(to: server.port) { client in
                let body = path == "/vertex" ? Array(#"{"instances":[{"inputs":"Hi"}]}"#.utf8) : Self.hello
                try await client.send("POST", path, headers: Self.json, body: body)
                #expect(await server.eventually { server.engine.counts.running == 1 })
            }
            #expect(await server.eventually { server.engine.counts.running == 0 })
            let isCounted = try await server.eventually {
                try await server.metric(#"tgi_request_failure{err="dropped"}"#) == "1"
            }
            #expect(isCounted)
        }
    }

    @Test func `40: all texts of best_of end with their client`() async throws {
        try await TestServer.run({ _ in [.silence] }) { server in
            try await Client.connected(to: server.port) { client in
                let body = #"{"inputs":"Hi","parameters":{"best_of":2,"do_sample":true}}"#
                try await client.send("POST", "/generate", headers: Self.json, body: Array(body.utf8))
                #expect(await server.eventually { server.engine.counts.running == 2 })
            }
            #expect(await server.eventually { server.engine.counts.running == 0 })
        }
    }

    @Test func `43: a silent stream has comments, and goes on`() async throws {
        try await TestServer.run(
            { _ in [.token(TestServer.story[0]), .gate, .token(TestServer.endOfSequence)] },
            configure: { $0.timeouts.keepAlive = .milliseconds(80) }
        ) { server in
            try await Client.connected(to: server.port) { client in
                try await client.send("POST", "/generate_stream", headers: Self.json, body: Self.hello)
                _ = try await client.readHead()
                var frames: [String] = []
                while let chunk = try await client.readChunk() {
                    frames.append(String(decoding: chunk, as: UTF8.self))
                    if frames.filter({ $0 == ":\n\n" }).count == 2 { server.engine.open() }
                }
                #expect(frames.first?.hasPrefix("data: ") == true && frames.last?.hasPrefix("data: ") == true)
                let events = frames.filter { $0.hasPrefix("data: ") }
                #expect(events.count == 2)
                #expect(frames.allSatisfy { $0.hasPrefix("data: ") || $0 == ":\n\n" })
            }
        }
    }

    @Test func `A client that does not read holds up nobody, and loses its connection`() async throws {
        // A prompt of which every event carries much, so that the socket's buffers are full at once.
        try await TestServer.run(
            { _ in [.token(TestServer.story[0])] },
            limits: .init(
                maxInputTokens: 10_000, maxTotalTokens: 1_000_000, maxBatchPrefillTokens: 512,
                maxBatchTotalTokens: 1_000_000, maxBatchSize: 16),
            configure: { $0.timeouts.stalledReader = .milliseconds(400) }
        ) { server in
            try await Client.connected(to: server.port, readBuffer: 4096) { client in
                try await client.send("POST", "/generate_stream", headers: Self.json, body: Self.hello)
                let other = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":20}}"#)
                #expect(other.status == 200)
                #expect(await server.eventually { server.engine.counts.running == 0 })
                // It was behind, not served to the end.
                #expect(server.engine.counts.tokens < 900_000)
            }
        }
    }

    @Test func `A connection serves one request after the other, also after a stream and after an error`() async throws
    {
        try await TestServer.run { server in
            try await Client.connected(to: server.port) { client in
                for path in ["/generate", "/generate_stream", "/generate", "/nowhere", "/generate_stream"] {
                    let body = Array(#"{"inputs":"Hi","parameters":{"max_new_tokens":2}}"#.utf8)
                    let answer = try await client.ask("POST", path, headers: Self.json, body: body)
                    #expect(answer.status == (path == "/nowhere" ? 404 : 200))
                }
                let last = try await client.ask("GET", "/health", headers: [("connection", "close")])
                #expect(last.status == 200)
                #expect(await client.readsEnd())
            }
        }
    }

    @Test func `Requests sent at once are answered in order`() async throws {
        try await TestServer.run { server in
            try await Client.connected(to: server.port) { client in
                try await client.send("GET", "/info")
                try await client.send("GET", "/v1/models")
                let first = try await client.readHead()
                #expect(String(decoding: try await client.readBody(first), as: UTF8.self).contains("model_id"))
                let second = try await client.readHead()
                #expect(String(decoding: try await client.readBody(second), as: UTF8.self).contains("owned_by"))
            }
        }
    }

    @Test func `A client that waits for leave to send its body gets it`() async throws {
        try await TestServer.run { server in
            try await Client.connected(to: server.port) { client in
                let body = Array(#"{"inputs":"Hi","parameters":{"max_new_tokens":1}}"#.utf8)
                try await client.send(
                    raw: Array(
                        "POST /generate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: \(body.count)\r\n\r\n"
                            .utf8))
                try await Task.sleep(for: .milliseconds(30))
                try await client.send(raw: body)
                let head = try await client.readHead()
                #expect(head.status == 200)
            }
        }
    }

    @Test(arguments: [
        "", "POST /generate HTTP/1.1\r\nhost: x\r\n",
        "POST /generate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    ])
    func `A client that dawdles over its request loses its connection`(beginning: String) async throws {
        try await TestServer.run(configure: {
            $0.timeouts.idle = .milliseconds(200)
            $0.timeouts.requestBody = .milliseconds(200)
        }) { server in
            try await Client.connected(to: server.port) { client in
                // On a busy machine the time may be over before this is sent.
                if !beginning.isEmpty { try? await client.send(raw: Array(beginning.utf8)) }
                #expect(await client.readsEnd())
            }
        }
    }

    @Test func `A body that trickles in for ever is cut off`() async throws {
        try await TestServer.run(configure: { $0.timeouts.requestBody = .milliseconds(300) }) { server in
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    raw: Array(
                        "POST /generate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"
                            .utf8))
                let start = ContinuousClock.now
                while ContinuousClock.now - start < .seconds(5) {
                    guard (try? await client.send(raw: [0x20])) != nil else { break }
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(ContinuousClock.now - start < .seconds(4))
            }
        }
    }

    @Test func `Headers beyond all measure are refused`() async throws {
        try await TestServer.run { server in
            for head in [
                "GET /health HTTP/1.1\r\nhost: x\r\nx-long: \(String(repeating: "y", count: 200_000))\r\n\r\n",
                "GET /health HTTP/1.1\r\nhost: x\r\n" + (0..<2000).map { "x-\($0): y\r\n" }.joined() + "\r\n",
                "nonsense\r\n\r\n",
            ] {
                try await Client.connected(to: server.port) { client in
                    try? await client.send(raw: Array(head.utf8))
                    let status = try? await client.readHead().status
                    #expect(status == nil || status == 400)
                }
            }
            #expect(try await server.status(get: "/health") == 200)
        }
    }
}
