internal import HTTPTypes
import Engine
import JSON
import Server
import Testing

/// What the server tells about itself.
struct InformationTests {
    @Test func `Info has TGI's keys in TGI's order, then ours`() async throws {
        try await TestServer.run { server in
            let info = try await server.get("/info").json
            #expect(
                info.objectValue?.keys == [
                    "model_id", "model_sha", "model_pipeline_tag", "max_concurrent_requests", "max_best_of",
                    "max_stop_sequences", "max_input_tokens", "max_total_tokens", "validation_workers",
                    "max_client_batch_size", "router", "version", "sha", "docker_label", "server", "server_version",
                    "device", "model_dtype",
                ])
            #expect(info["version"] == "3.3.7")
            #expect(info["router"] == "text-generation-router")
            #expect(info["max_input_tokens"] == 1023)
            #expect(info["max_total_tokens"] == 1024)
        }
    }

    @Test func `The list of models has one`() async throws {
        try await TestServer.run { server in
            let list = try await server.get("/v1/models").json
            #expect(
                list == [
                    "object": "list",
                    "data": [["id": "stories.gguf", "object": "model", "created": 0, "owned_by": "stories.gguf"]],
                ])
        }
    }

    @Test func `A sick engine is probed, and its health told`() async throws {
        try await TestServer.run { server in
            #expect(try await server.status(get: "/health") == 200)
            #expect(server.engine.counts.probes == 0)
            server.engine.set(healthy: false)
            for path in ["/health", "/ping", "/"] {
                let sick = try await server.get(path)
                #expect(sick.status == 503)
                #expect(try sick.json == ["error": "unhealthy", "error_type": "healthcheck"])
            }
            #expect(server.engine.counts.probes == 3)
            server.engine.set(healthy: true)
            let well = try await server.get("/health")
            #expect(well.status == 200 && well.body.isEmpty)
        }
    }

    @Test(arguments: [
        ("/", false), ("/generate_stream", false), ("/v1/completions", true), ("/v1/chat/completions", true),
    ])
    func `Only streams that end with DONE are described so`(path: String, endsWithDone: Bool) async throws {
        try await TestServer.run { server in
            let document = try await server.get("/api-doc/openapi.json").json
            let content = document["paths"]?[path]?["post"]?["responses"]?["200"]?["content"]?["text/event-stream"]
            let text = try #require(content).text()
            #expect(text.contains("[DONE]") == endsWithDone, "\(text)")
        }
    }

    @Test func `The description names every route, and every schema it refers to exists`() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/api-doc/openapi.json").json
            #expect(document["openapi"] == "3.1.0")
            let paths = try #require(document["paths"]?.objectValue)
            for route in Routes.all where route.isDocumented {
                #expect(paths[route.path]?[route.method.rawValue.lowercased()] != nil, "\(route.path)")
            }
            let schemas = try #require(document["components"]?["schemas"]?.objectValue)
            for reference in references(in: document) {
                let name = try #require(reference.split(separator: "/").last)
                #expect(schemas[String(name)] != nil, "\(reference)")
            }
            var ids: Set<String> = []
            for route in Routes.all where route.isDocumented {
                #expect(ids.insert(route.operation.id).inserted, "\(route.operation.id) twice")
            }
        }
    }

    private func references(in json: JSON) -> [String] {
        switch json {
        case .object(let object):
            object.flatMap { $0.key == "$ref" ? [$0.value.stringValue ?? ""] : references(in: $0.value) }
        case .array(let items): items.flatMap { references(in: $0) }
        default: []
        }
    }

    @Test func `The page names every route and loads nothing from elsewhere`() async throws {
        try await TestServer.run { server in
            let page = try await server.get("/docs")
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            for route in Routes.all where route.isDocumented {
                #expect(page.text.contains("<code>\(route.path)</code>"))
            }
            #expect(!page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains("<script"))
        }
    }

    @Test func `Answers are dated`() async throws {
        try await TestServer.run { server in
            let date = try #require(try await server.get("/health").headers["date"])
            #expect(date.hasSuffix(" GMT") && date.count == 29)
        }
        #expect(WallTime(seconds: 951_782_400, microseconds: 7).text == "2000-02-29T00:00:00.000007Z")
        #expect(WallTime(seconds: 1_767_225_599, microseconds: 0).httpText == "Wed, 31 Dec 2025 23:59:59 GMT")
        #expect(WallTime(seconds: 0, microseconds: 0).httpText == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test func `Durations are written as Rust does`() {
        #expect(Duration.nanoseconds(17).debugText == "17ns")
        #expect(Duration.nanoseconds(350_100).debugText == "350.1µs")
        #expect(Duration.microseconds(61_700).debugText == "61.7ms")
        #expect(Duration.nanoseconds(1_234_567_000).debugText == "1.234567s")
        #expect(Duration.seconds(2).debugText == "2s")
        #expect(Duration.nanoseconds(1_000_000_001).debugText == "1.000000001s")
        #expect(Duration.zero.debugText == "0ns")
    }
}
