import Engine
import JSON
import Server
import Testing

/// Engines that fail, and servers that are full.
struct FailureTests {
    static let fault = EngineError.stopped

    @Test func `A failed generation is 424 with the engine's words`() async throws {
        try await TestServer.run({ _ in [.token(TestServer.story[0]), .fail(Self.fault)] }) { server in
            let answer = try await server.post("/generate", #"{"inputs":"Hi"}"#)
            #expect(answer.status == 424)
            #expect(
                try answer.json == [
                    "error": .string("Request failed during generation: \(Self.fault)"), "error_type": "generation",
                ])
            #expect(try await server.metric(#"tgi_request_failure{err="generation"}"#) == "1")
        }
    }

    @Test func `An answer that never ends rightly is 500`() async throws {
        try await TestServer.run({ _ in [.token(TestServer.story[0]), .vanish] }) { server in
            let answer = try await server.post("/generate", #"{"inputs":"Hi"}"#)
            #expect(answer.status == 500)
            #expect(try answer.json == ["error": "Incomplete generation", "error_type": "incomplete_generation"])
            #expect(try await server.metric(#"tgi_request_failure{err="incomplete"}"#) == "1")
        }
    }

    @Test func `A stream that has begun ends with an event`() async throws {
        try await TestServer.run({ _ in [.token(TestServer.story[0]), .fail(Self.fault)] }) { server in
            let answer = try await server.post("/generate_stream", #"{"inputs":"Hi"}"#)
            #expect(answer.status == 200)
            #expect(answer.events.count == 2)
            #expect(
                try JSON.parse(answer.events[1]) == [
                    "error": .string("Request failed during generation: \(Self.fault)"), "error_type": "generation",
                ])
        }
    }

    @Test(arguments: [
        ("/generate_stream", #"{"inputs":"Hi"}"#), ("/", #"{"inputs":"Hi","stream":true}"#),
        ("/v1/completions", #"{"prompt":["Hi","Ho"],"max_tokens":3,"stream":true}"#),
    ])
    func `A stream that fails before its first token has the error's status`(path: String, body: String) async throws {
        try await TestServer.run({ _ in [.pause(.milliseconds(30)), .fail(Self.fault)] }) { server in
            let answer = try await server.post(path, body)
            #expect(answer.status == 424)
            #expect(
                try answer.json == [
                    "error": .string("Request failed during generation: \(Self.fault)"), "error_type": "generation",
                ])
            #expect(try await server.metric(#"tgi_request_failure{err="generation"}"#) == "1")
            // Its place is free.
            #expect(await server.eventually { server.engine.counts.running == 0 })
        }
        try await TestServer.run({ _ in [.vanish] }) { server in
            let status = try await server.status(post: path, body)
            #expect(status == 500)
        }
    }

    @Test func `A first token that takes long does not hold the head of the answer back`() async throws {
        try await TestServer.run(
            { _ in [.gate, .fail(Self.fault)] }, configure: { $0.timeouts.start = .milliseconds(50) }
        ) { server in
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    "POST", "/generate_stream", headers: [("content-type", "application/json")],
                    body: Array(#"{"inputs":"Hi"}"#.utf8))
                #expect(try await client.readHead().status == 200)
                server.engine.open()
                let event = try #require(try await client.readChunk())
                #expect(String(decoding: event, as: UTF8.self).contains(#""error_type":"generation""#))
            }
        }
    }

    @Test func `38: one too many is turned away, and nobody behind the one that ends`() async throws {
        try await TestServer.run(
            { _ in [.token(TestServer.story[0]), .gate, .token(TestServer.endOfSequence)] },
            configure: { $0.maxConcurrentRequests = 1 }
        ) { server in
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    "POST", "/generate_stream", headers: [("content-type", "application/json")],
                    body: Array(#"{"inputs":"Hi"}"#.utf8))
                _ = try await client.readHead()
                _ = try await client.readChunk()
                for path in ["/generate", "/generate_stream"] {
                    let second = try await server.post(path, #"{"inputs":"Hi"}"#)
                    #expect(second.status == 429)
                    #expect(try second.json == ["error": "Model is overloaded", "error_type": "overloaded"])
                }
                server.engine.open()
                _ = try await client.readChunk()
                // The last event is out, so the place is free.
                let third = try await server.post("/generate", #"{"inputs":"Hi"}"#)
                #expect(third.status == 200)
            }
            #expect(try await server.metric(#"tgi_request_failure{err="overloaded"}"#) == "2")
        }
    }

    @Test func `best_of takes a place for each text`() async throws {
        try await TestServer.run(configure: { $0.maxConcurrentRequests = 1 }) { server in
            let answer = try await server.post(
                "/generate", #"{"inputs":"Hi","parameters":{"best_of":2,"do_sample":true}}"#)
            #expect(answer.status == 429)
            #expect(
                try await server.status(post: "/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":1}}"#) == 200
            )
        }
    }

    @Test func `Choices that find no place count once, and end those before them`() async throws {
        try await TestServer.run(configure: { $0.maxConcurrentRequests = 2 }) { server in
            let answer = try await server.post(
                "/v1/completions", #"{"prompt":["Hi","Hi"],"n":2,"max_tokens":1}"#)
            #expect(answer.status == 429)
            #expect(try await server.metric(#"tgi_request_failure{err="overloaded"}"#) == "1")
            #expect(try await server.metric(#"tgi_request_failure{err="dropped"}"#) ?? "0" == "0")
            #expect(try await server.status(post: "/v1/completions", #"{"prompt":"Hi","n":2,"max_tokens":1}"#) == 200)
        }
    }
}
