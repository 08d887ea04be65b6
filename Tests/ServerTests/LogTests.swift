import JSON
import Logging
import Server
import Testing

/// What an operator reads.
struct LogTests {
    private static let request =
        #"{"inputs":"Hi","parameters":{"max_new_tokens":2,"temperature":0.5,"seed":7,"stop":["a\"b"]}}"#

    @Test func `A request is one line with TGI's fields`() async throws {
        try await TestServer.run { server in
            _ = try await server.post("/generate", Self.request)
            let lines = server.log.all
            #expect(lines.count == 1)
            let time = #"\d+(\.\d+)?(ns|µs|ms|s)"#
            let pattern = try Regex(
                #"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z  INFO generate\{parameters=GenerateParameters \{ best_of: None, temperature: Some\(0\.5\), .*stop: \["a\\"b"\], .*\} total_time="\#(time)" validation_time="\#(time)" queue_time="\#(time)" inference_time="\#(time)" time_per_token="\#(time)" seed="Some\(7\)"\}: tgi_run::server: Success$"#
            )
            #expect(lines[0].wholeMatch(of: pattern) != nil, "\(lines[0])")
        }
    }

    @Test func `A greedy answer has no seed in its line`() async throws {
        try await TestServer.run { server in
            _ = try await server.post("/generate_stream", #"{"inputs":"Hi","parameters":{"max_new_tokens":2}}"#)
            #expect(server.log.all.count == 1)
            #expect(server.log.all[0].contains(" generate_stream{"))
            #expect(server.log.all[0].contains(#"seed="None""#))
        }
    }

    @Test func `An error is a line too`() async throws {
        try await TestServer.run { server in
            _ = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"temperature":0}}"#)
            #expect(server.log.all.count == 1)
            #expect(server.log.all[0].contains(" ERROR generate{parameters="))
            #expect(server.log.all[0].hasSuffix("Input validation error: `temperature` must be strictly positive"))
        }
    }

    @Test func `As JSON a line holds the same`() async throws {
        try await TestServer.run(json: true) { server in
            _ = try await server.post(
                "/", Self.request,
                headers: [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")])
            let line = try JSON.parse(server.log.all[0])
            #expect(line["level"] == "INFO")
            #expect(line["message"] == "Success")
            #expect(line["target"] == "tgi_run::server")
            let span = try #require(line["span"])
            #expect(
                span.objectValue?.keys == [
                    "parameters", "total_time", "validation_time", "queue_time", "inference_time", "time_per_token",
                    "seed", "trace_id", "parent_span_id", "name",
                ])
            #expect(span["name"] == "compat_generate:generate")
            #expect(span["seed"] == "Some(7)")
            #expect(span["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736")
            #expect(line["spans"] == [span])
        }
    }

    @Test(arguments: [
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "00-x-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "",
    ])
    func `A malformed trace header is none`(header: String) async throws {
        #expect(TraceParent(header) == nil)
    }

    @Test func `No client can forge a line`() async throws {
        try await TestServer.run { server in
            _ = try await server.post(
                "/generate", #"{"inputs":"Hi","parameters":{"adapter_id":"a\nFORGED\u001b[31m","max_new_tokens":1}}"#)
            #expect(server.log.all.count == 1)
            #expect(!server.log.all[0].contains("\n") && !server.log.all[0].contains("\u{1B}"))
        }
    }

    @Test func `The filter of LOG_LEVEL is TGI's`() {
        #expect(ServerLog.level("debug") == .debug)
        #expect(ServerLog.level("WARN") == .warning)
        #expect(ServerLog.level("info,text_generation_router=debug") == .info)
        #expect(ServerLog.level("text_generation_router=debug") == nil)
        #expect(ServerLog.level("loud") == nil)
    }
}
