import JSON
import Server
import Testing

/// The end of a server.
struct ShutdownTests {
    @Test func `Told to stop, it lets requests finish and takes no more`() async throws {
        try await TestServer.run({ _ in
            [
                .token(TestServer.story[0]), .gate,
                .token(TestServer.endOfSequence),
            ]
        }) { server in
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    "POST", "/generate_stream", headers: ConnectionTests.json, body: ConnectionTests.hello)
                _ = try await client.readHead()
                _ = try await client.readChunk()
                await server.stop()
                let isClosed = await server.eventually { (try? await server.get("/health")) == nil }
                #expect(isClosed)
                server.engine.open()
                var events: [String] = []
                while let chunk = try await client.readChunk() { events.append(String(decoding: chunk, as: UTF8.self)) }
                // Between them there may be comments.
                #expect(events.filter { $0.hasPrefix("data:") }.count == 1)
                #expect(events.last?.contains("generated_text\":\"") == true)
                #expect(await client.readsEnd())
            }
            #expect(await server.eventually { server.engine.counts.isStopped })
            #expect(server.log.all.contains { $0.hasSuffix("signal received, starting graceful shutdown") })
        }
    }

    @Test func `When the time is over it ends what still runs`() async throws {
        try await TestServer.run(ConnectionTests.slowly, configure: { $0.gracefulTermination = .milliseconds(200) }) {
            server in
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    "POST", "/generate_stream", headers: ConnectionTests.json, body: ConnectionTests.hello)
                _ = try await client.readHead()
                let start = ContinuousClock.now
                await server.stop()
                while (try? await client.readChunk()) ?? nil != nil {}
                #expect(ContinuousClock.now - start < .seconds(10))
            }
            #expect(await server.eventually { server.engine.counts.isStopped && server.engine.counts.running == 0 })
        }
    }

    @Test func `Idle connections do not hold up the end`() async throws {
        try await TestServer.run { server in
            try await Client.connected(to: server.port) { client in
                _ = try await client.ask("GET", "/health")
                await server.stop()
                #expect(await client.readsEnd())
            }
            #expect(await server.eventually { server.engine.counts.isStopped })
        }
    }

    @Test func `An address that is taken is named`() async throws {
        try await TestServer.run { server in
            var options = ServerOptions()
            options.host = "127.0.0.1"
            options.port = server.port
            let context = ServerContext(
                engine: server.engine, tokenizer: TestServer.tokenizer, templates: server.context.templates,
                model: server.context.model, options: options, metrics: server.context.metrics, log: server.context.log)
            let error = await #expect(throws: ListenError.self) {
                try await Serving(context, onListening: { _ in }).run()
            }
            let text = error?.description ?? ""
            let isNamed = text.hasPrefix("cannot listen on 127.0.0.1:\(server.port): Address already in use")
            #expect(isNamed, "\(text)")
        }
    }
}
