import JSON
import Server
import Testing

/// A message of TGI's for everything that can be wrong with a request.
struct ValidationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let parameters: String
        let message: String
        var inputs = "Hi"
        var testDescription: String { parameters }
    }

    static let cases: [Case] = [
        Case(parameters: #""best_of":3,"do_sample":true"#, message: "`best_of` must be > 0 and <= 2. Given: 3"),
        Case(parameters: #""best_of":0"#, message: "`best_of` must be > 0 and <= 2. Given: 0"),
        Case(parameters: #""best_of":2"#, message: "you must use sampling when `best_of` is > 1"),
        Case(parameters: #""temperature":0"#, message: "`temperature` must be strictly positive"),
        Case(parameters: #""temperature":1e39"#, message: "`temperature` must be strictly positive"),
        Case(parameters: #""temperature":-1,"top_k":0"#, message: "`temperature` must be strictly positive"),
        Case(parameters: #""repetition_penalty":0"#, message: "`repetition_penalty` must be strictly positive"),
        Case(parameters: #""frequency_penalty":2.5"#, message: "`frequency_penalty` must be >= -2.0 and <= 2.0"),
        Case(parameters: #""presence_penalty":-3"#, message: "`presence_penalty` must be >= -2.0 and <= 2.0"),
        Case(parameters: #""top_p":1.0"#, message: "`top_p` must be > 0.0 and < 1.0"),
        Case(parameters: #""top_p":0"#, message: "`top_p` must be > 0.0 and < 1.0"),
        Case(parameters: #""typical_p":1"#, message: "`typical_p` must be > 0.0 and < 1.0"),
        Case(parameters: #""min_p":1.5"#, message: "`min_p` must be >= 0.0 and <= 1.0"),
        Case(parameters: #""top_k":0"#, message: "`top_k` must be strictly positive"),
        Case(parameters: #""max_new_tokens":0"#, message: "`max_new_tokens` must be strictly positive"),
        Case(
            parameters: #""stop":["a","b","c","d","e"]"#, message: "`stop` supports up to 4 stop sequences. Given: 5"),
        Case(
            parameters: #""seed":1,"best_of":2,"do_sample":true"#,
            message: "`seed` must not be set when `best_of` > 1"),
        Case(parameters: #""top_n_tokens":6"#, message: "`top_n_tokens` must be >= 0 and <= 5. Given: 6"),
        Case(parameters: "", message: "`inputs` cannot be empty", inputs: ""),
        Case(
            parameters: #""truncate":0"#,
            message: "`truncate` must be strictly positive and less than 1023. Given: 0"),
        Case(
            parameters: #""truncate":1024"#,
            message: "`truncate` must be strictly positive and less than 1023. Given: 1024"),
        Case(
            parameters: #""max_new_tokens":100"#,
            message:
                "`inputs` tokens + `max_new_tokens` must be <= 1024. Given: 1000 `inputs` tokens and 100 `max_new_tokens`",
            inputs: TestServer.prompt(tokens: 1000)),
        Case(
            parameters: #""max_new_tokens":4000000000"#,
            message:
                "`inputs` tokens + `max_new_tokens` must be <= 1024. Given: 10 `inputs` tokens and 1024 `max_new_tokens`",
            inputs: TestServer.prompt(tokens: 10)),
        Case(
            parameters: "",
            message:
                "`inputs` tokens + `max_new_tokens` must be <= 1024. Given: 1025 `inputs` tokens and 0 `max_new_tokens`",
            inputs: TestServer.prompt(tokens: 1025)),
        Case(
            parameters: "", message: "`inputs` must have less than 1023 tokens. Given: 1024",
            inputs: TestServer.prompt(tokens: 1024)),
        Case(parameters: #""grammar":{"type":"regex","value":"a+"}"#, message: "grammar is not supported"),
        Case(parameters: #""watermark":true"#, message: "watermark is not supported"),
        Case(parameters: #""adapter_id":"mine""#, message: "adapter `mine` does not exist"),
        Case(parameters: #""stop_token_ids":[4000000]"#, message: "`stop_token_ids` must be < 2048. Given: 4000000"),
    ]

    @Test(arguments: cases)
    func `8 to 16: what is wrong is said, with and without a stream`(wrong: Case) async throws {
        try await TestServer.run { server in
            for path in ["/generate", "/generate_stream", "/"] {
                // A stream takes exactly one text, and says so first.
                if path == "/generate_stream", wrong.parameters.contains("best_of") { continue }
                let answer = try await server.post(
                    path, #"{"inputs":"\#(wrong.inputs)","parameters":{\#(wrong.parameters)}}"#)
                #expect(answer.status == 422)
                #expect(answer.headers["content-type"] == "application/json")
                let error: JSON = [
                    "error": .string("Input validation error: " + wrong.message), "error_type": "validation",
                ]
                #expect(try answer.json == error)
            }
            #expect(server.engine.counts.submitted == 0)
        }
    }

    @Test(arguments: [
        (#""best_of":2,"do_sample":true"#, "`best_of` != 1 is not supported when streaming tokens"),
        (#""best_of":0"#, "`best_of` != 1 is not supported when streaming tokens"),
        (
            #""decoder_input_details":true"#,
            "`decoder_input_details` == true is not supported when streaming tokens"
        ),
    ])
    func `8: what no stream can do is refused before one begins`(parameters: String, message: String) async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/generate_stream", #"{"inputs":"Hi","parameters":{\#(parameters)}}"#)
            #expect(answer.status == 422)
            #expect(try answer.json["error"] == .string("Input validation error: " + message))
        }
    }

    @Test func `A server with one text per request says so`() async throws {
        try await TestServer.run(configure: { $0.maxBestOf = 1 }) { server in
            let answer = try await server.post(
                "/generate", #"{"inputs":"Hi","parameters":{"best_of":2,"do_sample":true}}"#)
            #expect(
                try answer.json["error"] == "Input validation error: `best_of` != 1 is not allowed for this endpoint")
        }
    }

    @Test(arguments: [
        #""top_p":0.99"#, #""top_n_tokens":5"#, #""top_n_tokens":0"#, #""best_of":1"#, #""truncate":1023"#,
        #""frequency_penalty":-2"#, #""frequency_penalty":2"#, #""max_new_tokens":1"#, #""stop":["a","b","c","d"]"#,
    ])
    func `What is just inside its range is taken`(parameters: String) async throws {
        try await TestServer.run({ _ in [.token(TestServer.endOfSequence)] }) { server in
            let answer = try await server.post("/generate", #"{"inputs":"Hi","parameters":{\#(parameters)}}"#)
            #expect(answer.status == 200)
        }
    }

    @Test func `A full server answers 429 even to a wrong request, but the form is checked first`() async throws {
        try await TestServer.run(configure: { $0.maxConcurrentRequests = 0 }) { server in
            for path in ["/generate", "/generate_stream"] {
                let answer = try await server.post(path, #"{"inputs":"","parameters":{"temperature":0}}"#)
                #expect(answer.status == 429)
                #expect(try answer.json == ["error": "Model is overloaded", "error_type": "overloaded"])
            }
            let form = try await server.post("/generate", #"{"inputs":"Hi","parameters":{"best_of":3}}"#)
            #expect(form.status == 422)
        }
    }
}
