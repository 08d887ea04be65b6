import JSON

/// How a server is asked to stream an answer, and what its events mean.
struct API: Sendable {
    let name: String
    let path: String
    /// The body of a greedy request that goes on to its last token whatever the model says.
    let body: @Sendable (_ prompt: String, _ tokens: Int) -> JSON
    /// What one event brings.
    let read: @Sendable (JSON) -> Event

    enum Event {
        /// This many tokens.
        case tokens(Int)
        /// The number of all tokens, where the server counts them itself.
        case total(Int)
        case failure(String)
    }

    static let all = [tgi, completions, chat, llama]

    static func named(_ name: String) -> API? { all.first { $0.name == name } }

    /// TGI's own route.
    static let tgi = API(name: "tgi", path: "/generate_stream") { prompt, tokens in
        [
            "inputs": .string(prompt),
            "parameters": ["max_new_tokens": JSON(tokens), "do_sample": false, "ignore_eos": true],
        ]
    } read: { event in
        if let error = event["error"] { return .failure(error.text()) }
        return .tokens(event["token"] == nil ? 0 : 1)
    }

    static let completions = API(name: "completions", path: "/v1/completions") { prompt, tokens in
        [
            "model": "tgi", "prompt": .string(prompt), "max_tokens": JSON(tokens), "temperature": 0,
            "stream": true, "ignore_eos": true,
        ]
    } read: { event in
        choice(event)
    }

    static let chat = API(name: "chat", path: "/v1/chat/completions") { prompt, tokens in
        [
            "model": "tgi", "messages": [["role": "user", "content": .string(prompt)]],
            "max_tokens": JSON(tokens), "temperature": 0, "stream": true, "ignore_eos": true,
        ]
    } read: { event in
        choice(event)
    }

    /// llama-server's own route, without its cache of prompts.
    static let llama = API(name: "llama", path: "/completion") { prompt, tokens in
        [
            "prompt": .string(prompt), "n_predict": JSON(tokens), "temperature": 0, "stream": true,
            "ignore_eos": true, "cache_prompt": false,
        ]
    } read: { event in
        if let error = event["error"] { return .failure(error.text()) }
        guard event["stop"]?.boolValue == true else { return .tokens(1) }
        return event["tokens_predicted"]?.intValue.map { .total(Int($0)) } ?? .tokens(0)
    }

    private static func choice(_ event: JSON) -> Event {
        if let error = event["error"] { return .failure(error.text()) }
        return .tokens(event["choices"]?.arrayValue?.isEmpty == false ? 1 : 0)
    }
}
