internal import Engine
import JSON
import Server
import Testing
import Tokenizer

/// What `/v1/completions` answers, by the numbers of the specification's conformance vectors.
struct CompletionsTests {
    private let path = "/v1/completions"

    @Test func `An answer has TGI's members in their order`() async throws {
        try await TestServer.run { [path] server in
            let answer = try await server.post(path, #"{"prompt":"Hi","max_tokens":3,"model":"gpt-x"}"#)
            #expect(answer.status == 200)
            let json = try answer.json
            #expect(
                json.objectValue?.keys == [
                    "object", "id", "created", "model", "system_fingerprint", "choices", "usage",
                ])
            #expect(json["object"] == "text_completion")
            #expect(json["model"] == "stories.gguf")
            #expect(
                json["choices"] == [
                    ["index": 0, "text": .string(TestServer.text(3)), "logprobs": .null, "finish_reason": "length"]
                ])
            let prompt = try #require(server.engine.counts.requests.first?.prompt)
            #expect(prompt == TestServer.tokenizer.encode("Hi", addSpecial: true, parseSpecial: true))
            #expect(json["usage"]?["prompt_tokens"] == JSON(prompt.count))
            #expect(json["usage"]?["total_tokens"] == JSON(prompt.count + 3))
            #expect(answer.headers["x-generated-tokens"] == "3")
            #expect(answer.headers["x-compute-time"] == nil)
        }
    }

    @Test func `36: several prompts, too many, and a suffix`() async throws {
        try await TestServer.run { [path] server in
            let four = try await server.post(path, #"{"prompt":["a","b","c","d"],"max_tokens":1}"#)
            #expect(try four.json["choices"]?.arrayValue?.map { $0["index"] } == [0, 1, 2, 3])
            #expect(try four.json["usage"]?["completion_tokens"] == 4)
            #expect(four.headers["x-generated-tokens"] == "4")
            for stream in [false, true] {
                let five = try await server.post(path, #"{"prompt":["a","b","c","d","e"],"stream":\#(stream)}"#)
                #expect(five.status == 422)
                #expect(
                    try five.json == [
                        "error": "Number of prompts exceeds the maximum allowed batch size of 4",
                        "error_type": "batch size exceeded",
                    ])
                let suffix = try await server.post(path, #"{"prompt":"a","suffix":"b","stream":\#(stream)}"#)
                #expect(suffix.status == 422)
                #expect(
                    try suffix.json == [
                        "error": "Suffix is not supported and can be achieved by preprocessing the prompt.",
                        "error_type": "suffix not supported",
                    ])
            }
            let empty = try await server.post(path, #"{"prompt":[]}"#)
            #expect(empty.status == 422)
            #expect(empty.text.contains("Empty array detected. Do not use an empty array for the prompt."))
            #expect(try await server.post(path, #"{"prompt":[1,2]}"#).status == 422)
            #expect(try await server.post(path, #"{"prompt":"a","suffix":null,"max_tokens":1}"#).status == 200)
        }
    }

    @Test func `37: a stream hides the end token and tells why and what only at each end`() async throws {
        let script: ScriptedEngine.Script = { request in
            request.maxNewTokens == 2
                ? TestServer.story.map { .token($0) } : [.token(TestServer.story[0]), .token(TestServer.endOfSequence)]
        }
        try await TestServer.run(script) { [path] server in
            let answer = try await server.post(path, #"{"prompt":["a","b"],"max_tokens":5,"stream":true}"#)
            #expect(answer.events.filter { $0 == "[DONE]" }.count == 1)
            #expect(answer.events.last == "[DONE]")
            let chunks = try answer.events.dropLast().map { try JSON.parse($0) }
            for index in 0..<2 {
                let own = chunks.filter { $0["choices"]?[0]?["index"] == JSON(index) }
                #expect(own.map { $0["choices"]?[0]?["finish_reason"] } == [.null, "stop"])
                #expect(own.compactMap { $0["choices"]?[0]?["text"]?.stringValue }.joined() == TestServer.text(1))
                #expect(own.map { $0["usage"]?["completion_tokens"] } == [nil, 2])
            }
            #expect(
                chunks[0].objectValue?.keys == ["object", "id", "created", "choices", "model", "system_fingerprint"])
            let limited = try await server.post(
                path, #"{"prompt":"a","max_tokens":2,"stream":true,"stream_options":{"include_usage":true}}"#)
            let last = try limited.events.dropLast().map { try JSON.parse($0) }.suffix(2)
            #expect(last.first?["choices"]?[0]?["finish_reason"] == "length")
            #expect(last.last?["choices"] == [])
            #expect(last.last?["usage"]?["completion_tokens"] == 2)
        }
    }

    @Test func `Texts end before a stop string, and prompts have answers in their order`() async throws {
        try await TestServer.run { [path] server in
            let stop = String(TestServer.text(6).dropFirst(6).prefix(5))
            let answer = try await server.post(path, #"{"prompt":["a","b"],"n":2,"seed":4,"stop":"\#(stop)"}"#)
            let choices = try #require(try answer.json["choices"]?.arrayValue)
            #expect(choices.map { $0["index"] } == [0, 1, 2, 3])
            #expect(choices.allSatisfy { $0["text"] == .string(String(TestServer.text(6).prefix(6))) })
            #expect(choices.allSatisfy { $0["finish_reason"] == "stop" })
            #expect(server.engine.counts.requests.map(\.sampling.seed) == [4, 5, 4, 5])
        }
    }

    @Test func `38: prompts beyond the permits are turned away, and those begun are ended`() async throws {
        try await TestServer.run({ _ in [.silence] }, configure: { $0.maxConcurrentRequests = 2 }) { [path] server in
            let answer = try await server.post(path, #"{"prompt":["a","b","c"],"stream":true}"#)
            #expect(answer.status == 429)
            #expect(try answer.json == ["error": "Model is overloaded", "error_type": "overloaded"])
            #expect(server.engine.counts.submitted == 2)
            let isFree = await server.eventually { server.engine.counts.running == 0 }
            #expect(isFree)
        }
    }

    @Test func `SageMaker's way in takes completions too`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/invocations", #"{"prompt":"Hi","max_tokens":2}"#)
            #expect(try answer.json["choices"]?[0]?["text"] == .string(TestServer.text(2)))
        }
    }
}
