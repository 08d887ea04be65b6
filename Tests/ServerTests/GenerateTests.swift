import JSON
import Server
import Testing

/// Vectors 1 to 7 and their kin: what the native routes answer.
struct GenerateTests {
    @Test func `1: a plain answer holds the text alone`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":3}}"#)
            #expect(answer.status == 200)
            #expect(try answer.json.objectValue?.keys == ["generated_text"])
            #expect(try answer.json["generated_text"] == " Once upon a")
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.headers["x-generated-tokens"] == "3")
            let again = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":3}}"#)
            #expect(try again.json == answer.json)
        }
    }

    @Test func `7: a stream of one token is one event`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/generate_stream", #"{"inputs":"Hi","parameters":{"max_new_tokens":1,"details":true}}"#)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "text/event-stream")
            #expect(answer.headers["cache-control"] == "no-cache")
            #expect(answer.headers["x-accel-buffering"] == "no")
            #expect(answer.events.count == 1)
            let event = try JSON.parse(answer.events[0])
            #expect(event["index"] == 1)
            #expect(event["generated_text"] == " Once")
            #expect((event["details"]?["input_length"]?.intValue ?? 0) > 0)
        }
    }
}
