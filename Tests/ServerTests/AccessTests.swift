import JSON
import Server
import Testing

/// Who may call what: routes, methods, keys, origins.
struct AccessTests {
    static let protected = [
        "/", "/generate", "/generate_stream", "/invocations", "/vertex", "/tokenize",
    ]
    static let open = [
        "/", "/health", "/ping", "/info", "/metrics", "/v1/models", "/docs", "/docs/", "/api-doc/openapi.json",
    ]

    @Test func `39: with a key set, whoever asks for text must know it`() async throws {
        try await TestServer.run(configure: { $0.apiKey = "Sesame" }) { server in
            let body = #"{"inputs":"Hi","parameters":{"max_new_tokens":1}}"#
            for path in Self.protected {
                for headers in [
                    [], [("authorization", "Bearer wrong")], [("authorization", "Bearer sesame")],
                    [("authorization", "Sesame")], [("authorization", "Bearer SesameSesame")], [("authorization", "")],
                    [("authorization", "Bearer Sesame ")].filter { _ in false },
                ] {
                    let answer = try await server.post(path, body, headers: headers)
                    #expect(answer.status == 401, "\(path) \(headers)")
                    #expect(answer.body.isEmpty)
                }
                let answer = try await server.post(path, body, headers: [("authorization", "Bearer Sesame")])
                #expect(answer.status != 401, "\(path)")
            }
            for path in Self.open { #expect(try await server.status(get: path) == 200) }
        }
    }

    @Test func `The key is asked for before the body is looked at`() async throws {
        try await TestServer.run(configure: { $0.apiKey = "Sesame" }) { server in
            let status = try await server.status(post: "/generate", "{")
            #expect(status == 401)
        }
    }

    @Test func `Unknown paths and wrong methods have no body`() async throws {
        try await TestServer.run { server in
            for path in ["/nowhere", "/v1", "/v1/", "/generate/", "/models/x"] {
                let answer = try await server.post(path, "{}")
                #expect(answer.status == 404)
                #expect(answer.body.isEmpty)
            }
            let get = try await server.get("/generate")
            #expect(get.status == 405)
            #expect(get.headers["allow"] == "POST")
            #expect(get.body.isEmpty)
            let post = try await server.post("/info", "{}")
            #expect(post.status == 405)
            #expect(post.headers["allow"] == "GET,HEAD")
            let put = try await server.ask("PUT", "/")
            #expect(put.headers["allow"] == "GET,HEAD,POST")
        }
    }

    @Test func `What can be read answers HEAD without a body`() async throws {
        try await TestServer.run { server in
            for path in Self.open {
                let head = try await server.ask("HEAD", path)
                #expect(head.status == 200)
                if path != "/metrics" {
                    let get = try await server.get(path)
                    #expect(head.headers["content-length"] == get.headers["content-length"])
                }
            }
        }
    }

    @Test func `Pages of any origin may call, and ask first`() async throws {
        try await TestServer.run { server in
            for path in ["/generate", "/nowhere"] {
                let preflight = try await server.ask(
                    "OPTIONS", path,
                    headers: [("origin", "http://a.example"), ("access-control-request-method", "POST")])
                #expect(preflight.status == 200)
                #expect(preflight.headers["access-control-allow-methods"] == "GET,POST")
                #expect(preflight.headers["access-control-allow-headers"] == "content-type")
                #expect(preflight.headers["access-control-allow-origin"] == "*")
            }
            let answer = try await server.get("/info")
            #expect(answer.headers["access-control-allow-origin"] == "*")
            #expect(
                answer.headers["vary"]
                    == "origin, access-control-request-method, access-control-request-headers")
            let wrong = try await server.post("/generate", "{")
            #expect(wrong.headers["access-control-allow-origin"] == "*")
        }
    }

    @Test func `With origins listed, only theirs may`() async throws {
        try await TestServer.run(configure: { $0.allowedOrigins = ["http://a.example", "http://b.example"] }) {
            server in
            func allowed(_ origin: String) async throws -> String? {
                try await server.ask("GET", "/info", headers: [("origin", origin)])
                    .headers["access-control-allow-origin"]
            }
            let (listed, other) = (try await allowed("http://b.example"), try await allowed("http://c.example"))
            #expect(listed == "http://b.example")
            #expect(other == nil)
        }
    }
}
