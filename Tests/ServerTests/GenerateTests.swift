internal import Engine
import JSON
import Server
import Synchronization
import Testing
import Tokenizer

/// What the native routes answer, by the numbers of the specification's conformance vectors.
struct GenerateTests {
    @Test func `1: a plain answer holds the text alone, and repeats`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":3}}"#)
            #expect(answer.status == 200)
            #expect(answer.text == #"{"generated_text":"\#(TestServer.text(3))"}"#)
            #expect(answer.headers["content-type"] == "application/json")
            #expect(answer.headers["x-generated-tokens"] == "3")
            #expect(answer.headers["x-compute-characters"] == "2")
            #expect(
                Int(answer.headers["x-prompt-tokens"] ?? "")
                    == TestServer.tokenizer.encode("Hi", addSpecial: true, parseSpecial: true).count)
            for name in ["x-total-time", "x-validation-time", "x-queue-time", "x-inference-time", "x-time-per-token"] {
                #expect(Int(answer.headers[name] ?? "") != nil, "\(name)")
            }
            #expect(Double(answer.headers["x-compute-time"] ?? "") != nil)
            #expect(answer.headers["x-compute-type"] == "cpu")
        }
    }

    @Test func `2: details tell the tokens, and no seed for a greedy answer`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":3,"details":true}}"#)
            let details = try #require(try answer.json["details"])
            #expect(details.objectValue?.keys == ["finish_reason", "generated_tokens", "seed", "prefill", "tokens"])
            #expect(details["finish_reason"] == "length")
            #expect(details["generated_tokens"] == 3)
            #expect(details["seed"] == .null)
            #expect(details["prefill"] == [])
            #expect(details["tokens"]?.arrayValue?.count == 3)
            #expect(details["tokens"]?[0]?.objectValue?.keys == ["id", "text", "logprob", "special"])
            #expect(details["tokens"]?[0]?["logprob"] == -0.25)
        }
    }

    @Test func `3: a sampled answer tells its seed, and takes one`() async throws {
        try await TestServer.run { server in
            func seed(_ extra: String) async throws -> JSON? {
                let body =
                    #"{"inputs":"Hi","parameters":{"max_new_tokens":1,"details":true,"do_sample":true\#(extra)}}"#
                return try await server.post("/generate", body).json["details"]?["seed"]
            }
            let first = try #require(try await seed("")?.uintValue)
            let second = try #require(try await seed("")?.uintValue)
            #expect(first != second)
            #expect(try await seed(#","seed":18446744073709551615"#)?.uintValue == UInt64.max)
            #expect(server.engine.counts.requests[2].sampling.seed == UInt64.max)
        }
    }

    @Test(arguments: [
        (#"{"inputs":"Hi"}"#, false), (#"{"inputs":"Hi","parameters":{}}"#, true),
        (#"{"inputs":"Hi","parameters":{"temperature":1.0}}"#, true),
        (#"{"inputs":"Hi","parameters":{"temperature":0.7}}"#, false),
        (#"{"inputs":"Hi","parameters":{"top_k":5}}"#, false), (#"{"inputs":"Hi","parameters":{"top_p":0.9}}"#, false),
    ])
    func `4: without parameters the answer is sampled, with empty ones greedy`(body: String, isGreedy: Bool)
        async throws
    {
        try await TestServer.run({ _ in [.token(TestServer.endOfSequence)] }) { server in
            _ = try await server.post("/generate", body)
            #expect(server.engine.counts.requests.first?.sampling.isGreedy == isGreedy)
        }
    }

    @Test func `5: the root answers an array of one with the whole text`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/", #"{"inputs":"Hi","parameters":{"max_new_tokens":3}}"#)
            #expect(try answer.json == [["generated_text": .string("Hi" + TestServer.text(3))]])
            let without = try await server.post(
                "/", #"{"inputs":"Hi","parameters":{"max_new_tokens":3,"return_full_text":false}}"#)
            #expect(try without.json[0]?["generated_text"] == .string(TestServer.text(3)))
            let full = try await server.post(
                "/generate", #"{"inputs":"Hi","parameters":{"max_new_tokens":3,"return_full_text":true}}"#)
            #expect(try full.json["generated_text"] == .string("Hi" + TestServer.text(3)))
        }
    }

    @Test func `6: the root streams when asked to`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/", #"{"inputs":"Hi","parameters":{"max_new_tokens":3},"stream":true}"#)
            #expect(answer.headers["content-type"] == "text/event-stream")
            let events = try answer.events.map { try JSON.parse($0) }
            #expect(events.map { $0["index"] } == [1, 2, 3])
            #expect(events.map { $0["generated_text"] } == [.null, .null, .string("Hi" + TestServer.text(3))])
        }
    }

    @Test func `7: a stream of one token is one event`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/generate_stream", #"{"inputs":"Hi","parameters":{"max_new_tokens":1,"details":true}}"#)
            #expect(answer.status == 200)
            #expect(answer.headers["cache-control"] == "no-cache")
            #expect(answer.headers["x-accel-buffering"] == "no")
            #expect(answer.headers["x-compute-characters"] == "2")
            let id = TestServer.story[0]
            let length = TestServer.tokenizer.encode("Hi", addSpecial: true, parseSpecial: true).count
            #expect(
                answer.text == """
                    data: {"index":1,"token":{"id":\(id),"text":"\(TestServer.text(1))","logprob":-0.25,"special":false},\
                    "generated_text":"\(TestServer.text(1))","details":{"finish_reason":"length","generated_tokens":1,\
                    "seed":null,"input_length":\(length)}}\n\n
                    """)
        }
    }

    @Test func `A stream without details says null`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/generate_stream", #"{"inputs":"Hi","parameters":{"max_new_tokens":2}}"#)
            let events = try answer.events.map { try JSON.parse($0) }
            #expect(
                events.map { $0.objectValue?.keys } == [
                    ["index", "token", "generated_text", "details"], ["index", "token", "generated_text", "details"],
                ])
            #expect(events.allSatisfy { $0["details"] == .null })
        }
    }

    @Test func `17: more new tokens than the context ends with length at its limit`() async throws {
        var limits = TestServer.limits
        limits.maxTotalTokens = 2048
        try await TestServer.run(limits: limits) { server in
            let answer = try await server.post(
                "/generate", #"{"inputs":" little little","parameters":{"max_new_tokens":100000,"details":true}}"#)
            #expect(answer.status == 200)
            #expect(try answer.json["details"]?["finish_reason"] == "length")
            #expect(answer.headers["x-generated-tokens"] == "2045")
        }
    }

    @Test func `18: without a limit the answer ends at the context's`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/generate", #"{"inputs":" little little","parameters":{}}"#)
            #expect(answer.headers["x-generated-tokens"] == "1021")
        }
    }

    @Test func `23: a stop string ends the answer and stays in it`() async throws {
        try await TestServer.run { server in
            let word = TestServer.text(4).dropFirst(TestServer.text(3).count)
            let body = #"{"inputs":"Hi","parameters":{"stop":["\#(word)"],"details":true,"max_new_tokens":50}}"#
            let answer = try await server.post("/generate", body)
            #expect(try answer.json["details"]?["finish_reason"] == "stop_sequence")
            #expect(try answer.json["generated_text"] == .string(TestServer.text(4)))
        }
    }

    @Test func `24: an end token counts, shows in the tokens and not in the text`() async throws {
        try await TestServer.run({ _ in [.token(TestServer.story[0]), .token(TestServer.endOfSequence)] }) { server in
            let answer = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"details":true}}"#)
            let details = try #require(try answer.json["details"])
            #expect(details["finish_reason"] == "eos_token")
            #expect(details["generated_tokens"] == 2)
            #expect(details["tokens"]?[1]?["special"] == true)
            #expect(try answer.json["generated_text"] == .string(TestServer.text(1)))
        }
    }

    @Test func `25: an end token in the last place ends by length`() async throws {
        try await TestServer.run({ _ in [.token(TestServer.endOfSequence)] }) { server in
            let answer = try await server.post(
                "/generate", #"{"inputs":"Hi","parameters":{"details":true,"max_new_tokens":1}}"#)
            #expect(try answer.json["details"]?["finish_reason"] == "length")
        }
    }

    @Test func `26: top tokens stand beside the tokens`() async throws {
        try await TestServer.run { server in
            let body = #"{"inputs":"Hi","parameters":{"details":true,"max_new_tokens":3,"top_n_tokens":2}}"#
            let details = try #require(try await server.post("/generate", body).json["details"])
            let top = try #require(details["top_tokens"]?.arrayValue)
            #expect(top.count == 3)
            #expect(top.allSatisfy { $0.arrayValue?.count == 2 })
            let stream = try await server.post("/generate_stream", body)
            #expect(try JSON.parse(stream.events[0])["top_tokens"]?.arrayValue?.count == 2)
        }
    }

    @Test func `27: best_of gives the other texts in the details`() async throws {
        try await TestServer.run { server in
            let body = #"{"inputs":"Hi","parameters":{"best_of":2,"do_sample":true,"details":true,"max_new_tokens":2}}"#
            let details = try #require(try await server.post("/generate", body).json["details"])
            let others = try #require(details["best_of_sequences"]?.arrayValue)
            #expect(others.count == 1)
            #expect(
                others[0].objectValue?.keys == [
                    "generated_text", "finish_reason", "generated_tokens", "seed", "prefill", "tokens",
                ])
            #expect(others[0]["seed"] != details["seed"])
            #expect(server.engine.counts.requests.count == 2)
        }
    }

    @Test(arguments: [true, false])
    func `28: prompt tokens come only where the server allows them`(isAllowed: Bool) async throws {
        try await TestServer.run(configure: { $0.prefillLogprobs = isAllowed }) { server in
            let body = #"{"inputs":"Hi","parameters":{"decoder_input_details":true,"max_new_tokens":2}}"#
            let prefill = try #require(try await server.post("/generate", body).json["details"]?["prefill"]?.arrayValue)
            let tokens = TestServer.tokenizer.encode("Hi", addSpecial: true, parseSpecial: true)
            #expect(prefill.map { $0["id"] } == (isAllowed ? tokens.map { JSON($0) } : []))
            #expect(prefill.first?["logprob"] == (isAllowed ? .null : nil))
        }
    }

    @Test func `42: no event holds half a character`() async throws {
        let emoji = TestServer.tokenizer.encode("\u{1F680}!", addSpecial: false, parseSpecial: false)
        #expect(emoji.count > 2)
        try await TestServer.run({ _ in emoji.map { .token($0) } + [.token(TestServer.endOfSequence)] }) { server in
            let answer = try await server.post("/generate_stream", #"{"inputs":"Hi","parameters":{}}"#)
            let events = try answer.events.map { try JSON.parse($0) }
            let texts = events.filter { $0["token"]?["special"] == false }.map {
                $0["token"]?["text"]?.stringValue ?? ""
            }
            #expect(texts.contains(""))
            #expect(!texts.contains { $0.contains("\u{FFFD}") })
            #expect(texts.joined() == "\u{1F680}!")
            #expect(events.last?["generated_text"] == "\u{1F680}!")
        }
    }

    @Test func `44: the explicit nulls of the text-generation client are absent values`() async throws {
        let body = """
            {"inputs":"Hi","stream":false,"parameters":{"do_sample":false,"max_new_tokens":2,"repetition_penalty":null,\
            "frequency_penalty":null,"return_full_text":false,"stop":[],"seed":null,"temperature":null,"top_k":null,\
            "top_p":null,"truncate":null,"typical_p":null,"best_of":null,"watermark":false,"details":true,\
            "decoder_input_details":false,"top_n_tokens":null,"grammar":null,"adapter_id":null}}
            """
        try await TestServer.run { server in
            let answer = try await server.post("/", body)
            #expect(answer.status == 200)
            #expect(try answer.json[0]?["details"]?["generated_tokens"] == 2)
        }
    }

    @Test func `Truncation keeps the last tokens and the one that begins a text`() async throws {
        try await TestServer.run { server in
            _ = try await server.post(
                "/generate", #"{"inputs":"One two three four five six","parameters":{"truncate":4,"max_new_tokens":1}}"#
            )
            let all = TestServer.tokenizer.encode("One two three four five six", addSpecial: true, parseSpecial: true)
            #expect(server.engine.counts.requests[0].prompt == [all[0]] + all.suffix(3))
        }
    }

    @Test func `Parameters reach the engine`() async throws {
        try await TestServer.run { server in
            let body = """
                {"inputs":"Hi","parameters":{"max_new_tokens":7,"temperature":0.5,"top_k":4,"top_p":0.75,"typical_p":0.5,\
                "min_p":0.25,"repetition_penalty":1.5,"frequency_penalty":0.5,"presence_penalty":-0.5,"seed":9,\
                "stop":["never"],"stop_token_ids":[5,6],"ignore_eos":true}}
                """
            let answer = try await server.post("/generate", body)
            #expect(answer.status == 200)
            let request = server.engine.counts.requests[0]
            #expect(request.maxNewTokens == 7)
            #expect(request.stopStrings == ["never"])
            #expect(request.stopTokens == [5, 6])
            #expect(request.ignoreEndOfGeneration)
            #expect(request.stopBoundary == .included)
            let sampling = request.sampling
            #expect(sampling.temperature == 0.5 && sampling.topK == 4 && sampling.topP == 0.75)
            #expect(sampling.typicalP == 0.5 && sampling.minP == 0.25 && sampling.repetitionPenalty == 1.5)
            #expect(sampling.frequencyPenalty == 0.5 && sampling.presencePenalty == -0.5 && sampling.seed == 9)
            #expect(sampling.frequencyForm == .relative)
        }
    }

    @Test func `Invocations take the form of the native routes`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/invocations", #"{"inputs":"Hi","parameters":{"max_new_tokens":2}}"#)
            #expect(try answer.json == [["generated_text": .string("Hi" + TestServer.text(2))]])
            let neither = try await server.post("/invocations", #"{"input":"Hi"}"#)
            #expect(neither.status == 422)
            #expect(neither.headers["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test func `Vertex answers each instance with its parameters`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/vertex",
                #"{"instances":[{"inputs":"Hi","parameters":{"max_new_tokens":2}},{"inputs":"Ho","parameters":{"max_new_tokens":3,"temperature":0.5}}]}"#
            )
            #expect(try answer.json == ["predictions": [.string(TestServer.text(2)), .string(TestServer.text(3))]])
            #expect(server.engine.counts.requests.contains { $0.sampling.temperature == 0.5 })
            let none = try await server.post("/vertex", #"{"instances":[]}"#)
            #expect(none.status == 422)
            #expect(try none.json == ["error": "Input validation error", "error_type": "Input validation error"])
        }
    }

    @Test func `Vertex hides what went wrong in a generation`() async throws {
        try await TestServer.run({ _ in [.vanish] }) { server in
            let answer = try await server.post("/vertex", #"{"instances":[{"inputs":"Hi"}]}"#)
            #expect(answer.status == 500)
            #expect(try answer.json == ["error": "Incomplete generation", "error_type": "Incomplete generation"])
        }
    }

    @Test func `41: tokens stand at their byte offsets`() async throws {
        try await TestServer.run { server in
            let text = "Hello wörld \u{1F680} end"
            let answer = try await server.post("/tokenize", #"{"inputs":"\#(text)"}"#)
            let tokens = try #require(try answer.json.arrayValue)
            #expect(
                tokens[0] == ["id": JSON(TestServer.tokenizer.firstToken ?? -1), "text": "", "start": 0, "stop": 0])
            var place = 0
            for token in tokens.dropFirst() {
                #expect(token["start"]?.intValue == place)
                place = token["stop"]?.intValue ?? -1
            }
            #expect(place == text.utf8.count)
            let empty = try await server.post("/tokenize", #"{"inputs":"","parameters":{"truncate":0}}"#)
            #expect(try empty.json.arrayValue?.count == 1)
        }
    }
}
