import Chat
internal import Engine
import JSON
import Server
import Testing
import Tokenizer

/// What the chat route answers, by the numbers of the specification's conformance vectors.
struct ChatCompletionsTests {
    /// Shows everything that a template gets of a message, and the tools.
    static let template = ChatTemplates(
        source: """
            {% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}\
            {{ '\\n' }}{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}{% if mood is defined %}{{ mood }}{% endif %}<assistant>
            """)
    /// The same, but knows no tools.
    static let plainTemplate = ChatTemplates(source: "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
    static let path = "/v1/chat/completions"
    static let tool =
        #"{"type":"function","function":{"name":"add","description":"Adds","parameters":{"type":"object"}}}"#

    /// A body with one message of a user.
    static func body(_ members: String = #""max_tokens":3"#) -> String {
        #"{"messages":[{"role":"user","content":"Hi"}]\#(members.isEmpty ? "" : ",")\#(members)}"#
    }

    private static func run(
        _ script: @escaping ScriptedEngine.Script = TestServer.tellStory, templates: ChatTemplates = template,
        configure: (inout ServerOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(script, templates: templates, configure: configure, body)
    }

    /// The prompt that the engine got last, as text.
    private static func prompt(_ server: TestServer) -> String {
        TestServer.tokenizer.decode(server.engine.counts.requests.last?.prompt ?? [], skipSpecial: false)
    }

    @Test func `An answer has TGI's members in their order`() async throws {
        try await Self.run { server in
            let answer = try await server.post(Self.path, Self.body(#""max_tokens":3,"model":"gpt-x""#))
            #expect(answer.status == 200)
            let json = try answer.json
            #expect(
                json.objectValue?.keys == [
                    "object", "id", "created", "model", "system_fingerprint", "choices", "usage",
                ])
            #expect(json["object"] == "chat.completion")
            #expect(json["id"] == "")
            #expect((json["created"]?.intValue ?? 0) > 1_700_000_000)
            #expect(json["model"] == "gpt-x")
            #expect(
                json["choices"] == [
                    [
                        "index": 0, "message": ["role": "assistant", "content": .string(TestServer.text(3))],
                        "logprobs": .null, "finish_reason": "length",
                    ]
                ])
            let length = try #require(server.engine.counts.requests.first?.prompt.count)
            #expect(
                json["usage"] == [
                    "prompt_tokens": JSON(length), "completion_tokens": 3, "total_tokens": JSON(length + 3),
                    "prompt_tokens_details": ["cached_tokens": 0],
                ])
            #expect(answer.headers["x-prompt-tokens"] == "\(length)")
            #expect(answer.headers["x-generated-tokens"] == "3")
            #expect(Double(answer.headers["x-compute-time"] ?? "") != nil)
            #expect(Self.prompt(server) == "<user>Hi\n<assistant>")
            #expect(try await server.metric("tgi_request_count") == "1")
            #expect(try await server.metric("tgi_request_success") == "1")
        }
    }

    @Test(arguments: ["", #","model":null"#, #","model":"tgi""#])
    func `A model without a name, or called tgi, is called what it is`(model: String) async throws {
        try await Self.run { server in
            let answer = try await server.post(Self.path, Self.body(#""max_tokens":1\#(model)"#))
            #expect(try answer.json["model"] == "stories.gguf")
        }
    }

    @Test(arguments: [false, true])
    func `29: without a template a chat is refused with a status, streamed or not`(stream: Bool) async throws {
        try await TestServer.run { server in
            let answer = try await server.post(Self.path, Self.body(#""stream":\#(stream)"#))
            #expect(answer.status == 422)
            #expect(
                answer.text == #"{"error":"Template error: template not found","error_type":"template_error"}"#)
            #expect(try await server.metric(#"tgi_request_failure{err="template"}"#) == nil)
        }
    }

    @Test func `30: what is not valid has its status before a stream begins`() async throws {
        try await Self.run { server in
            let answer = try await server.post(Self.path, Self.body(#""temperature":-1,"stream":true"#))
            #expect(answer.status == 422)
            #expect(
                try answer.json == [
                    "error": "Input validation error: `temperature` must be strictly positive",
                    "error_type": "validation",
                ])
        }
    }

    @Test func `31: a stream tells what it used behind its tokens, where it is asked to`() async throws {
        try await Self.run { server in
            let body = Self.body(#""max_tokens":2,"stream":true,"stream_options":{"include_usage":true}"#)
            let answer = try await server.post(Self.path, body)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "text/event-stream")
            #expect(answer.events.last == "[DONE]")
            let chunks = try answer.events.dropLast().map { try JSON.parse($0) }
            #expect(chunks.count == 3)
            for chunk in chunks {
                #expect(
                    chunk.objectValue?.keys
                        == ["object", "id", "created", "model", "system_fingerprint", "choices", "usage"])
                #expect(chunk["object"] == "chat.completion.chunk")
            }
            #expect(chunks.prefix(2).map { $0["usage"] } == [.null, .null])
            #expect(
                chunks[0]["choices"] == [
                    [
                        "index": 0, "delta": ["role": "assistant", "content": .string(TestServer.text(1))],
                        "logprobs": .null, "finish_reason": .null,
                    ]
                ])
            #expect(chunks[1]["choices"]?[0]?["finish_reason"] == "length")
            #expect(chunks[2]["choices"] == [])
            #expect(chunks[2]["usage"]?["completion_tokens"] == 2)
            let plain = try await server.post(
                Self.path, Self.body(#""max_tokens":2,"stream":true,"stream_options":null"#))
            #expect(plain.events.count == 3)
        }
    }

    @Test(arguments: [false, true])
    func `32: a text ends with stop or length, and before the stop string`(stream: Bool) async throws {
        @Sendable func ask(_ server: TestServer, _ members: String) async throws -> (content: String, finish: JSON?) {
            let answer = try await server.post(Self.path, Self.body(#"\#(members),"stream":\#(stream)"#))
            guard stream else {
                let choice = try answer.json["choices"]?[0]
                return (choice?["message"]?["content"]?.stringValue ?? "", choice?["finish_reason"])
            }
            let choices = try answer.events.dropLast().map { try JSON.parse($0)["choices"]?[0] }
            #expect(choices.dropLast().allSatisfy { $0?["finish_reason"] == .null })
            return (
                choices.compactMap { $0?["delta"]?["content"]?.stringValue }.joined(), choices.last??["finish_reason"]
            )
        }
        let end: ScriptedEngine.Script = { _ in
            [.token(TestServer.story[0]), .token(TestServer.endOfSequence)]
        }
        try await Self.run(end) { server in
            let answer = try await ask(server, #""max_tokens":9"#)
            #expect(answer.content == TestServer.text(1))
            #expect(answer.finish == "stop")
        }
        try await Self.run { server in
            let long = try await ask(server, #""max_tokens":6"#)
            #expect(long.content == TestServer.text(6))
            #expect(long.finish == "length")
            // From the middle of a token to the middle of another.
            let stop = String(TestServer.text(6).dropFirst(6).prefix(5))
            let expected = String(TestServer.text(6).prefix(6))
            for form in [#"["never","\#(stop)"]"#, #""\#(stop)""#] {
                let stopped = try await ask(server, #""max_tokens":9,"stop":\#(form)"#)
                #expect(stopped.content == expected)
                #expect(stopped.finish == "stop")
            }
        }
    }

    @Test func `33: log-probabilities come with the likeliest tokens where they are asked for`() async throws {
        try await Self.run { server in
            func content(_ members: String) async throws -> [JSON]? {
                try await server.post(Self.path, Self.body(#""max_tokens":2\#(members)"#))
                    .json["choices"]?[0]?["logprobs"]?["content"]?.arrayValue
            }
            let top = try #require(try await content(#","logprobs":true,"top_logprobs":2"#))
            #expect(top.count == 2)
            for entry in top {
                #expect(entry.objectValue?.keys == ["token", "logprob", "top_logprobs"])
                #expect(entry["logprob"] == -0.25)
                #expect((entry["top_logprobs"]?.arrayValue?.count ?? 0) >= 2)
                #expect(entry["top_logprobs"]?[0]?.objectValue?.keys == ["token", "logprob"])
            }
            let alone = try #require(try await content(#","logprobs":true"#))
            #expect(alone.map { $0["top_logprobs"] } == [[], []])
            #expect(try await content(#","top_logprobs":2"#) == nil)
            let stream = try await server.post(
                Self.path, Self.body(#""max_tokens":1,"logprobs":true,"top_logprobs":1,"stream":true"#))
            let entry = try JSON.parse(stream.events[0])["choices"]?[0]?["logprobs"]?["content"]?[0]
            #expect(entry?["token"] == .string(TestServer.text(1)))
            #expect(entry?["top_logprobs"]?.arrayValue?.count == 1)
        }
    }

    @Test(arguments: [
        (
            #""tools":[],"response_format":{"type":"json_object"}"#,
            #"{"error":"Tool error: Grammar and tools are mutually exclusive","error_type":"tool_error"}"#
        ),
        (
            #""tools":[\#(tool)],"tool_choice":"nope""#,
            #"{"error":"Tool error: Tool with name nope not found","error_type":"tool_error"}"#
        ),
        (
            #""tools":[\#(tool)],"tool_choice":{"type":"function","function":{"name":"nope"}}"#,
            #"{"error":"Tool error: Tool with name nope not found","error_type":"tool_error"}"#
        ),
        (#""tools":[\#(tool)],"tool_choice":"add""#, grammarRefused),
        (#""tools":[\#(tool)],"tool_choice":{"type":"function","function":{"name":"add"}}"#, grammarRefused),
        (#""tools":[\#(tool)],"tool_choice":"required","stream":true"#, grammarRefused),
        (#""response_format":{"type":"json_object"}"#, grammarRefused),
        (
            #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}},"stream":true"#,
            grammarRefused
        ),
        (#""response_format":{"type":"regex","value":"a+"}"#, grammarRefused),
    ])
    func `34, 35: what would need a grammar is refused, after errors of the tools`(members: String, expected: String)
        async throws
    {
        try await Self.run { server in
            let answer = try await server.post(Self.path, Self.body(members))
            #expect(answer.status == 422)
            #expect(answer.text == expected)
            #expect(server.engine.counts.submitted == 0)
        }
    }

    private static let grammarRefused =
        #"{"error":"Input validation error: grammar is not supported","error_type":"validation"}"#

    @Test func `Tools are shown by the template in OpenAI's form`() async throws {
        try await Self.run { server in
            let answer = try await server.post(Self.path, Self.body(#""max_tokens":1,"tools":[\#(Self.tool)]"#))
            #expect(answer.status == 200)
            let tools = try JSON.parse("[\(Self.tool)]").text(style: .spaced)
            #expect(Self.prompt(server) == "<user>Hi\n\(tools)<assistant>")
            _ = try await server.post(
                Self.path, Self.body(#""max_tokens":1,"tools":[\#(Self.tool)],"tool_choice":"none""#))
            #expect(Self.prompt(server) == "<user>Hi\n<assistant>")
            _ = try await server.post(Self.path, Self.body(#""max_tokens":1,"response_format":{"type":"text"}"#))
            #expect(Self.prompt(server) == "<user>Hi\n<assistant>")
        }
    }

    @Test func `A template that knows no tools gets them as text behind the last message`() async throws {
        try await Self.run(templates: Self.plainTemplate) { server in
            let body = Self.body(#""max_tokens":1,"tools":[\#(Self.tool)],"tool_prompt":"Choose.""#)
            let answer = try await server.post(Self.path, body)
            #expect(answer.status == 200)
            #expect(Self.prompt(server) == "<user>Hi\n---\n[\(Self.tool)]\nChoose.")
        }
    }

    @Test func `Messages keep their tool calls, with arguments as objects`() async throws {
        try await Self.run { server in
            let call = #"{"id":"1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}}"#
            let body = """
                {"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"A"},\
                {"type":"text","text":"B"}]},{"role":"assistant","content":"ok","tool_calls":[\(call)]},\
                {"role":"tool","tool_call_id":"1","content":"2"}]}
                """
            let answer = try await server.post(Self.path, body)
            #expect(answer.status == 200)
            #expect(
                Self.prompt(server) == """
                    <user>AB
                    <assistant>ok[{"id": "1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}]
                    <tool>2
                    <assistant>
                    """)
        }
    }

    @Test func `A last message of the assistant is continued`() async throws {
        try await Self.run { server in
            let body = """
                {"max_tokens":1,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Well, "}]}
                """
            let answer = try await server.post(Self.path, body)
            #expect(Self.prompt(server) == "<user>Hi\n<assistant>Well,")
            #expect(try answer.json["choices"]?[0]?["message"]?["content"] == .string(TestServer.text(1)))
        }
    }

    @Test func `Errors of a template are the request's`() async throws {
        let templates = ChatTemplates(source: "a\n{{ raise_exception('Roles must alternate') }}")
        try await Self.run(templates: templates) { server in
            let answer = try await server.post(Self.path, Self.body())
            #expect(answer.status == 422)
            #expect(
                try answer.json == [
                    "error": "Template error: syntax error: Roles must alternate (in <string>:2)",
                    "error_type": "template_error",
                ])
            #expect(try await server.metric(#"tgi_request_failure{err="template"}"#) == "1")
        }
        try await Self.run(templates: ChatTemplates(source: "{% if %}")) { server in
            let answer = try await server.post(Self.path, Self.body())
            #expect(answer.status == 422)
            #expect(try answer.json["error_type"] == "template_error")
        }
        try await Self.run(templates: ChatTemplates(source: "")) { server in
            let answer = try await server.post(Self.path, Self.body())
            #expect(try answer.json["error"] == "Input validation error: `inputs` cannot be empty")
        }
    }

    @Test func `OpenAI's parameters reach the engine with OpenAI's meaning`() async throws {
        try await Self.run { server in
            let body = Self.body(
                """
                "max_tokens":1,"max_completion_tokens":2,"temperature":0.5,"top_p":1.0,"top_k":7,"min_p":0.1,\
                "repetition_penalty":1.1,"frequency_penalty":0.5,"presence_penalty":-0.5,"seed":9,"ignore_eos":true,\
                "logit_bias":{"5":-100,"6":1.5},"chat_template_kwargs":{"mood":"glad"},"user":"x","parallel_tool_calls":true
                """)
            let answer = try await server.post(Self.path, body)
            #expect(answer.status == 200)
            let request = try #require(server.engine.counts.requests.first)
            #expect(Self.prompt(server) == "<user>Hi\nglad<assistant>")
            #expect(request.maxNewTokens == 2)
            #expect(request.ignoreEndOfGeneration)
            var expected = SamplingParameters()
            expected.doSample = true
            expected.temperature = 0.5
            expected.topK = 7
            expected.minP = 0.1
            expected.repetitionPenalty = 1.1
            expected.frequencyPenalty = 0.5
            expected.frequencyForm = .count
            expected.presencePenalty = -0.5
            expected.seed = 9
            expected.logitBias = [5: -100, 6: 1.5]
            #expect(request.sampling == expected)
            #expect(!request.wantsLogprobs)
        }
    }

    @Test func `Temperature zero is greedy, and nothing else is`() async throws {
        try await Self.run { server in
            for (members, isGreedy) in [
                (#""temperature":0"#, true), (#""temperature":0,"top_k":5,"top_p":0.5"#, true),
                (#""temperature":1"#, false),
                (#""top_p":1.0"#, false), (#""seed":1"#, false),
            ] {
                _ = try await server.post(Self.path, Self.body(#""max_tokens":1,\#(members)"#))
                #expect(server.engine.counts.requests.last?.sampling.isGreedy == isGreedy, "\(members)")
            }
        }
    }

    @Test func `44: a client that names everything with null is served`() async throws {
        try await Self.run { server in
            let answer = try await server.post(
                Self.path,
                """
                {"model":"tgi","messages":[{"role":"user","content":"Hi","name":null,"tool_calls":null}],\
                "repetition_penalty":null,"frequency_penalty":null,"logit_bias":null,"logprobs":null,"top_logprobs":null,\
                "max_tokens":1,"n":null,"presence_penalty":null,"response_format":null,"stop":null,"stream":null,\
                "stream_options":null,"seed":null,"temperature":null,"top_p":null,"tools":null,"tool_prompt":null,\
                "tool_choice":null,"top_k":null,"min_p":null,"ignore_eos":null,"chat_template_kwargs":null,\
                "max_completion_tokens":null}
                """)
            #expect(answer.status == 200, "\(answer.text)")
        }
    }

    @Test(arguments: [false, true])
    func `Several answers to one prompt count on from its seed`(stream: Bool) async throws {
        try await Self.run { server in
            let answer = try await server.post(
                Self.path, Self.body(#""max_tokens":2,"n":3,"seed":18446744073709551615,"stream":\#(stream)"#))
            #expect(answer.status == 200)
            #expect(server.engine.counts.requests.map(\.sampling.seed) == [UInt64.max, 0, 1])
            guard stream else {
                let json = try answer.json
                #expect(json["choices"]?.arrayValue?.map { $0["index"] } == [0, 1, 2])
                #expect(json["usage"]?["completion_tokens"] == 6)
                let length = try #require(server.engine.counts.requests.first?.prompt.count)
                #expect(json["usage"]?["prompt_tokens"] == JSON(length), "the prompt counts once")
                return
            }
            #expect(answer.events.filter { $0 == "[DONE]" }.count == 1)
            var texts: [Int: String] = [:]
            for event in answer.events.dropLast() {
                let choice = try #require(try JSON.parse(event)["choices"]?[0])
                let index = try #require(choice["index"]?.intValue)
                texts[Int(index), default: ""] += try #require(choice["delta"]?["content"]?.stringValue)
            }
            #expect(texts == [0: TestServer.text(2), 1: TestServer.text(2), 2: TestServer.text(2)])
        }
    }

    @Test func `38: more answers than permits are turned away`() async throws {
        try await Self.run(configure: { $0.maxConcurrentRequests = 2 }) { server in
            let many = try await server.post(Self.path, Self.body(#""max_tokens":1,"n":3,"stream":true"#))
            #expect(many.status == 429)
            #expect(try many.json == ["error": "Model is overloaded", "error_type": "overloaded"])
            #expect(try await server.post(Self.path, Self.body(#""max_tokens":1,"n":2"#)).status == 200)
        }
    }

    @Test(arguments: [
        (#"{"messages":[]}"#, 200), (#"{}"#, 422), (#"{"messages":null}"#, 422),
        (#"{"messages":[{"role":"user"}]}"#, 422),
        (#"{"messages":[{"content":"x"}]}"#, 422), (body(#""stop":5"#), 422), (body(#""n":0"#), 422),
        (body(#""logit_bias":[1]"#), 422), (body(#""logit_bias":{"x":1}"#), 422),
        (body(#""logit_bias":{"99999999":1}"#), 422), (body(#""logit_bias":{"1":101}"#), 422),
        (body(#""tools":[{"type":"function","function":{"name":"x"}}]"#), 422),
        (body(#""response_format":{"type":"yaml"}"#), 422), (body(#""stop":["1","2","3","4","5"]"#), 422),
        (body(#""top_p":0"#), 422), (body(#""top_logprobs":6"#), 422),
    ])
    func `What is no chat is refused`(body: String, status: Int) async throws {
        try await Self.run { server in
            let answer = try await server.post(Self.path, body)
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    @Test func `An error after the first byte is an event with its own status`() async throws {
        let script: ScriptedEngine.Script = { _ in [.token(TestServer.story[0]), .vanish] }
        try await Self.run(script) { server in
            let answer = try await server.post(Self.path, Self.body(#""stream":true"#))
            #expect(answer.status == 200)
            #expect(answer.events.count == 3)
            #expect(
                try JSON.parse(answer.events[1]) == [
                    "error": ["message": "Incomplete generation", "http_status_code": 500]
                ])
            #expect(answer.events[2] == "[DONE]")
        }
    }

    @Test func `Other ways in take chats too`() async throws {
        try await Self.run { server in
            let invocation = try await server.post("/invocations", Self.body(#""max_tokens":2"#))
            #expect(try invocation.json["choices"]?[0]?["message"]?["content"] == .string(TestServer.text(2)))
            let vertex = try await server.post("/vertex", #"{"instances":[\#(Self.body(#""max_tokens":2"#))]}"#)
            #expect(try vertex.json == ["predictions": [.string(TestServer.text(2))]])
            #expect(Self.prompt(server) == "<user>Hi\n<assistant>")
        }
    }

    @Test func `The tokens of a templated chat are told, without any added`() async throws {
        try await Self.run(configure: { $0.apiKey = "secret" }) { server in
            let denied = try await server.post("/chat_tokenize", Self.body())
            #expect(denied.status == 401)
            let answer = try await server.post(
                "/chat_tokenize", Self.body(), headers: [("authorization", "Bearer secret")])
            let json = try answer.json
            #expect(json.objectValue?.keys == ["tokenize_response", "templated_text"])
            #expect(json["templated_text"] == "<user>Hi\n<assistant>")
            let tokens = try #require(json["tokenize_response"]?.arrayValue)
            #expect(tokens.compactMap { $0["text"]?.stringValue }.joined() == "<user>Hi\n<assistant>")
            #expect(tokens[0]["text"] != "")
        }
    }

    @Test func `A token that the template writes first has its place in the text`() async throws {
        try await Self.run(templates: ChatTemplates(source: "{{ bos_token }}{{ messages[0].content }}")) { server in
            let id = try #require(TestServer.tokenizer.firstToken)
            let name = TestServer.tokenizer.vocabulary.text(id)
            let body = #"{"messages":[{"role":"user","content":"\#(name)Hi"}]}"#
            let json = try await server.post("/chat_tokenize", body).json
            let first: JSON = ["id": JSON(id), "text": .string(name), "start": 0, "stop": JSON(name.utf8.count)]
            #expect(json["tokenize_response"]?[0] == first)
        }
    }
}
