import JSON
import Server
import Testing

/// Vectors 19 to 22: bodies that are no request, and what the framework under TGI says about them.
struct RequestFormTests {
    @Test(arguments: [
        (
            #"{"inputs":"Hi","parameters":{"seed":-1}}"#,
            "parameters.seed: invalid value: integer `-1`, expected u64 at line 1 column 38"
        ),
        (
            #"{"inputs":"Hi","parameters":{"stop":"x"}}"#,
            #"parameters.stop: invalid type: string "x", expected a sequence at line 1 column 39"#
        ),
        (
            #"{"inputs":"Hi","parameters":{"stop":null}}"#,
            "parameters.stop: invalid type: null, expected a sequence at line 1 column 40"
        ),
        (
            #"{"inputs":"Hi","parameters":{"stop":["a",1]}}"#,
            "parameters.stop[1]: invalid type: integer `1`, expected a string at line 1 column 42"
        ),
        (
            #"{"inputs":"Hi","parameters":{"details":null}}"#,
            "parameters.details: invalid type: null, expected a boolean at line 1 column 43"
        ),
        (
            #"{"inputs":"Hi","parameters":{"do_sample":null}}"#,
            "parameters.do_sample: invalid type: null, expected a boolean at line 1 column 45"
        ),
        (
            #"{"inputs":"Hi","parameters":{"watermark":1}}"#,
            "parameters.watermark: invalid type: integer `1`, expected a boolean at line 1 column 42"
        ),
        (
            #"{"inputs":"Hi","parameters":null}"#,
            "parameters: invalid type: null, expected struct GenerateParameters at line 1 column 32"
        ),
        (
            #"{"inputs":"Hi","parameters":{"max_new_tokens":4294967296}}"#,
            "parameters.max_new_tokens: invalid value: integer `4294967296`, expected u32 at line 1 column 56"
        ),
        (
            #"{"inputs":"Hi","parameters":{"max_new_tokens":1.5}}"#,
            "parameters.max_new_tokens: invalid type: floating point `1.5`, expected u32 at line 1 column 49"
        ),
        (
            #"{"inputs":"Hi","parameters":{"top_k":"3"}}"#,
            #"parameters.top_k: invalid type: string "3", expected i32 at line 1 column 40"#
        ),
        (
            #"{"inputs":"Hi","parameters":{"temperature":[]}}"#,
            "parameters.temperature: invalid type: sequence, expected f32 at line 1 column 43"
        ),
        (#"{"inputs":{"a":1}}"#, "inputs: invalid type: map, expected a string at line 1 column 10"),
        ("{\n  \"parameters\": {}\n}", "missing field `inputs` at line 3 column 1"),
        ("[1]", "invalid type: sequence, expected struct GenerateRequest at line 1 column 0"),
        ("{}", "missing field `inputs` at line 1 column 2"),
    ])
    func `19: JSON of another shape is refused in plain text`(body: String, problem: String) async throws {
        try await TestServer.run { server in
            for path in ["/generate", "/generate_stream", "/tokenize"] {
                let answer = try await server.post(path, body)
                #expect(answer.status == 422)
                #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
                #expect(answer.text == "Failed to deserialize the JSON body into the target type: " + problem)
            }
        }
    }

    @Test func `19: the root rejects null where TGI does`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/", #"{"inputs":"Hi","stream":null}"#)
            #expect(answer.status == 422)
            #expect(answer.text.hasSuffix("stream: invalid type: null, expected a boolean at line 1 column 28"))
        }
    }

    @Test(arguments: [
        "{", "", "{\"inputs\":}", "{\"inputs\":\"a\"} x", "{\"inputs\":\"\u{1}\"}", "{'inputs':1}", "\u{FEFF}{}",
    ])
    func `20: what is not JSON is refused in plain text`(body: String) async throws {
        try await TestServer.run { server in
            let answer = try await server.post("/generate", body)
            #expect(answer.status == 400)
            #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(answer.text.hasPrefix("Failed to parse the request body as JSON: "))
            #expect(answer.text.contains(" at line 1 column "))
        }
    }

    @Test func `20: a body of bytes that are no text, and one too deep, are refused`() async throws {
        try await TestServer.run { server in
            let headers = [("content-type", "application/json")]
            let binary = try await server.ask("POST", "/generate", headers: headers, body: [0x22, 0xFF, 0xFE, 0x22])
            #expect(binary.status == 400)
            let deep = try await server.post("/generate", String(repeating: "[", count: 100_000))
            #expect(deep.status == 400)
        }
    }

    @Test(arguments: [nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
    func `21: another content type is refused`(type: String?) async throws {
        try await TestServer.run { server in
            let answer = try await server.ask(
                "POST", "/generate", headers: type.map { [("content-type", $0)] } ?? [],
                body: Array(#"{"inputs":"Hi"}"#.utf8))
            #expect(answer.status == 415)
            #expect(answer.text == "Expected request with `Content-Type: application/json`")
        }
    }

    @Test(arguments: ["application/json; charset=utf-8", "application/vnd.x+json", "Application/JSON"])
    func `Content types of JSON are taken`(type: String) async throws {
        try await TestServer.run { server in
            let answer = try await server.ask(
                "POST", "/generate", headers: [("content-type", type)],
                body: Array(#"{"inputs":"Hi","parameters":{"max_new_tokens":1}}"#.utf8))
            #expect(answer.status == 200)
        }
    }

    @Test func `22: a body over the limit is refused, announced or not`() async throws {
        try await TestServer.run { server in
            let large = #"{"inputs":""# + String(repeating: "x", count: 2_000_000) + #""}"#
            let answer = try await server.post("/generate", large)
            #expect(answer.status == 413)
            #expect(answer.text == "Failed to buffer the request body: length limit exceeded")
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    raw: Array(
                        "POST /generate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
                            .utf8))
                for _ in 0..<40 {
                    try await client.send(
                        raw: Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x10000) + Array("\r\n".utf8))
                }
                try await client.send(raw: Array("0\r\n\r\n".utf8))
                let head = try await client.readHead()
                #expect(head.status == 413)
            }
        }
    }

    @Test func `A chunked body below the limit is read`() async throws {
        try await TestServer.run { server in
            try await Client.connected(to: server.port) { client in
                try await client.send(
                    raw: Array(
                        "POST /generate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{\"inputs\":\"Hi\",\"\r\n"
                            .utf8))
                try await Task.sleep(for: .milliseconds(20))
                try await client.send(raw: Array("24\r\nparameters\":{\"max_new_tokens\":1}   }\r\n0\r\n\r\n".utf8))
                let head = try await client.readHead()
                #expect(head.status == 200)
            }
        }
    }

    @Test func `Members that are not known are ignored`() async throws {
        try await TestServer.run { server in
            let answer = try await server.post(
                "/generate", #"{"inputs":"Hi","stream":true,"x":1,"parameters":{"max_new_tokens":1,"n":3,"y":null}}"#)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json")
        }
    }
}
