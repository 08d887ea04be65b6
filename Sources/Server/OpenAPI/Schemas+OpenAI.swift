internal import JSON

extension Schema {
    /// Schemas of the routes that speak OpenAI's language, and of `/chat_tokenize`.
    static let openAI: [Named] =
        chatRequest + [
            (
                "CompletionRequest",
                object(
                    [
                        ("prompt", oneOf(string, ["type": "array", "items": string, "minItems": 1])),
                        ("suffix?", with(["type": "null"], "Not supported")),
                    ] + shared)
            ),
            ("ChatCompletion", object(head("chat.completion") + [("choices", array(chatChoice)), usage])),
            (
                "ChatCompletionChunk",
                object(
                    head("chat.completion.chunk") + [
                        ("choices", array(chatChunkChoice)), ("usage", nullable(.reference("Usage"))),
                    ])
            ),
            ("Completion", object(head("text_completion") + [("choices", array(completionChoice)), usage])),
            (
                "CompletionChunk",
                object(
                    head("text_completion") + [
                        ("choices", array(completionChoice)), ("usage?", .reference("Usage")),
                    ])
            ),
            (
                "Usage",
                object([
                    ("prompt_tokens", integer), ("completion_tokens", integer), ("total_tokens", integer),
                    ("prompt_tokens_details", object([("cached_tokens", integer)])),
                ])
            ),
            ("ChatLogprobs", object([("content", array(.reference("ChatLogprob")))])),
            (
                "ChatLogprob",
                object([
                    ("token", string), ("logprob", nullable(number)),
                    ("top_logprobs", array(object([("token", string), ("logprob", nullable(number))]))),
                ])
            ),
            (
                "ChatTokenizeResponse",
                object([("tokenize_response", array(.reference("SimpleToken"))), ("templated_text", string)])
            ),
        ]

    // MARK: - Requests

    private static let chatRequest: [Named] = [
        (
            "ChatRequest",
            object(
                [
                    ("messages", with(array(.reference("Message")), "The conversation")),
                    ("tools?", with(nullable(array(.reference("Tool"))), "Functions that the template shows")),
                    ("tool_choice?", toolChoice),
                    (
                        "tool_prompt?",
                        with(nullable(string), "What follows the tools where the template does not show them")
                    ),
                    ("response_format?", responseFormat),
                    ("logprobs?", with(nullable(boolean), "Whether the answer tells its tokens")),
                    ("top_logprobs?", with(nullable(u32), "Likeliest tokens to tell at each place")),
                    (
                        "max_completion_tokens?",
                        with(nullable(u32), "As `max_tokens`, and instead of it where both are given")
                    ),
                    ("chat_template_kwargs?", with(nullable(["type": "object"]), "More variables for the template")),
                ] + shared)
        ),
        (
            "Message",
            [
                "type": "object", "required": ["role"],
                "anyOf": [
                    ["required": ["content"], "properties": ["content": ["not": ["type": "null"]]]],
                    ["required": ["tool_calls"], "properties": ["tool_calls": ["not": ["type": "null"]]]],
                ],
                "properties": [
                    "role": string,
                    "content": ["anyOf": [string, array(part), ["type": "null"]]],
                    "tool_calls": nullable(array(.reference("ToolCall"))),
                    "tool_call_id": anything, "name": anything,
                ],
            ]
        ),
        (
            "ToolCall",
            object([
                ("id", string), ("type?", anything),
                (
                    "function",
                    with(
                        object([("name", string), ("arguments", anything)]),
                        "Arguments are an object, or JSON text of one")
                ),
            ])
        ),
        ("Tool", object([("type?", nullable(string)), ("function", .reference("Function"))])),
        (
            "Function",
            object([
                ("name", string), ("description?", nullable(string)),
                ("parameters", with(anything, "A JSON Schema")),
            ])
        ),
    ]

    private static let part: JSON = oneOf(
        object([("type", values("text")), ("text", string)]),
        object([("type", values("image_url")), ("image_url", object([("url", string)]))]))

    private static let toolChoice: JSON = with(
        ["anyOf": [string, object([("function", object([("name", string)]))]), ["type": "null"]]],
        "`auto` or `none`; what forces a call is not supported yet")

    private static let responseFormat: JSON = with(
        ["anyOf": [object([("type", values("text"))]), ["type": "null"]]], "Other formats are not supported yet")

    /// What chats and completions have in common.
    private static let shared: [(String, JSON)] = [
        ("model?", with(nullable(string), "Any name: this server has one model")),
        ("max_tokens?", with(nullable(u32), "Tokens to generate at most")),
        ("temperature?", with(["type": ["number", "null"], "minimum": 0], "0 is greedy")),
        (
            "top_p?",
            with(
                ["type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1],
                "Keep the likeliest tokens that together reach this probability")
        ),
        (
            "top_k?",
            with(
                ["type": ["integer", "null"], "minimum": 1, "maximum": 2_147_483_647],
                "Keep this many of the likeliest tokens")
        ),
        (
            "min_p?",
            with(
                ["type": ["number", "null"], "minimum": 0, "maximum": 1],
                "Drop tokens less likely than this times the likeliest")
        ),
        (
            "repetition_penalty?",
            with(["type": ["number", "null"], "exclusiveMinimum": 0], "Divides the scores of tokens that occurred")
        ),
        ("frequency_penalty?", with(penalty, "Lowers scores by how often a token is in the answer")),
        ("presence_penalty?", with(penalty, "Lowers the scores of tokens in the answer")),
        (
            "logit_bias?",
            with(
                [
                    "type": ["object", "null"],
                    "additionalProperties": ["type": "number", "minimum": -100, "maximum": 100],
                    "propertyNames": ["pattern": "^[0-9]+$"],
                ], "Added to the scores of tokens, by their ids")
        ),
        ("stop?", with(["anyOf": [string, array(string), ["type": "null"]]], "Texts before which the answer ends")),
        ("ignore_eos?", with(nullable(boolean), "Whether to go on over the model's end tokens")),
        ("seed?", with(nullable(u64), "Seed of the random draws; answer i uses seed + i")),
        ("n?", with(["type": ["integer", "null"], "minimum": 1], "Answers to each prompt")),
        ("stream?", with(nullable(boolean), "Whether the answer comes as events")),
        ("stream_options?", nullable(object([("include_usage?", nullable(boolean))]))),
    ]

    private static let penalty: JSON = ["type": ["number", "null"], "minimum": -2, "maximum": 2]

    // MARK: - Answers

    private static func head(_ name: String) -> [(String, JSON)] {
        [
            ("object", values(name)), ("id", string), ("created", integer), ("model", string),
            ("system_fingerprint", string),
        ]
    }

    private static let usage: (String, JSON) = ("usage", .reference("Usage"))
    private static let message: JSON = object([("role", values("assistant")), ("content", string)])
    private static let finish: JSON = values("stop", "length")

    private static let chatChoice: JSON = object([
        ("index", integer), ("message", message), ("logprobs", nullable(.reference("ChatLogprobs"))),
        ("finish_reason", finish),
    ])

    private static let chatChunkChoice: JSON = object([
        ("index", integer), ("delta", message), ("logprobs", nullable(.reference("ChatLogprobs"))),
        ("finish_reason", nullable(finish)),
    ])

    private static let completionChoice: JSON = object([
        ("index", integer), ("text", string), ("logprobs", ["type": "null"]), ("finish_reason", nullable(finish)),
    ])
}
