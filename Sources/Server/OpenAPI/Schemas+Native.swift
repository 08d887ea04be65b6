internal import JSON

extension Schema {
    /// Schemas of the native routes.
    static let native: [Named] = [
        ("GenerateRequest", object([("inputs", prompt), ("parameters?", .reference("GenerateParameters"))])),
        (
            "CompatGenerateRequest",
            object([
                ("inputs", prompt), ("parameters?", .reference("GenerateParameters")),
                ("stream?", with(boolean, "Whether the answer comes as events", default: false)),
            ])
        ),
        ("GenerateParameters", object(sampling + stopping + answer)),
        ("GenerateResponse", object([("generated_text", string), ("details?", .reference("Details"))])),
        (
            "Details",
            object(
                outcome + [
                    ("best_of_sequences?", array(.reference("BestOfSequence"))),
                    ("top_tokens?", array(array(.reference("Token")))),
                ])
        ),
        (
            "BestOfSequence",
            object([("generated_text", string)] + outcome + [("top_tokens?", array(array(.reference("Token"))))])
        ),
        ("PrefillToken", object([("id", u32), ("text", string), ("logprob", nullable(number))])),
        ("Token", object([("id", u32), ("text", string), ("logprob", nullable(number)), ("special", boolean)])),
        (
            "StreamResponse",
            object([
                ("index", u32), ("token", .reference("Token")), ("top_tokens?", array(.reference("Token"))),
                ("generated_text", nullable(string)), ("details", nullable(.reference("StreamDetails"))),
            ])
        ),
        (
            "StreamDetails",
            object([
                ("finish_reason", .reference("FinishReason")), ("generated_tokens", u32), ("seed", nullable(u64)),
                ("input_length", u32),
            ])
        ),
        ("FinishReason", values("length", "eos_token", "stop_sequence")),
        ("SimpleToken", object([("id", u32), ("text", string), ("start", integer), ("stop", integer)])),
        ("VertexRequest", object([("instances", array(.reference("VertexInstance")))])),
        (
            "VertexInstance",
            oneOf(
                object([("inputs", prompt), ("parameters?", nullable(.reference("GenerateParameters")))]),
                .reference("ChatRequest"))
        ),
        ("VertexResponse", object([("predictions", array(string))])),
        ("ErrorResponse", object([("error", string), ("error_type", string)])),
        (
            "Info",
            object([
                ("model_id", string), ("model_sha", nullable(string)), ("model_pipeline_tag", nullable(string)),
                ("max_concurrent_requests", integer), ("max_best_of", integer), ("max_stop_sequences", integer),
                ("max_input_tokens", integer), ("max_total_tokens", integer), ("validation_workers", integer),
                ("max_client_batch_size", integer), ("router", string), ("version", string),
                ("sha", nullable(string)), ("docker_label", nullable(string)), ("server", string),
                ("server_version", string), ("device", string), ("model_dtype", string),
            ])
        ),
        (
            "ModelList",
            object([
                ("object", values("list")),
                (
                    "data",
                    array(
                        object([
                            ("id", string), ("object", values("model")), ("created", integer), ("owned_by", string),
                        ]))
                ),
            ])
        ),
    ]

    private static let prompt = with(["type": "string", "minLength": 1], "The text to continue")

    private static let outcome: [(String, JSON)] = [
        ("finish_reason", .reference("FinishReason")), ("generated_tokens", u32), ("seed", nullable(u64)),
        ("prefill", array(.reference("PrefillToken"))), ("tokens", array(.reference("Token"))),
    ]

    private static let sampling: [(String, JSON)] = [
        ("do_sample?", with(boolean, "Whether tokens are drawn at random", default: false)),
        ("seed?", with(nullable(u64), "Seed of the random draws; a random one where absent")),
        ("temperature?", with(positive, "Flattens (above 1) or sharpens (below 1) the choice")),
        (
            "top_k?",
            with(
                ["type": ["integer", "null"], "minimum": 1, "maximum": 2_147_483_647],
                "Keep this many of the likeliest tokens")
        ),
        ("top_p?", with(share, "Keep the likeliest tokens that together reach this probability")),
        ("typical_p?", with(share, "Keep the most typical tokens that together reach this probability")),
        (
            "min_p?",
            with(
                ["type": ["number", "null"], "minimum": 0, "maximum": 1],
                "Drop tokens less likely than this times the likeliest")
        ),
        ("repetition_penalty?", with(positive, "Divides the scores of tokens that occurred; 1 is none")),
        ("frequency_penalty?", with(penalty, "Lowers scores by the share of a token in prompt and answer")),
        ("presence_penalty?", with(penalty, "Lowers the scores of tokens in the answer")),
        ("watermark?", with(boolean, "Not supported: must be false", default: false)),
    ]

    private static let stopping: [(String, JSON)] = [
        (
            "max_new_tokens?",
            with(
                ["type": ["integer", "null"], "minimum": 1, "maximum": 4_294_967_295],
                "Tokens to generate at most; until the model ends or the context is full where absent")
        ),
        ("stop?", with(array(string), "Texts that end the answer")),
        ("stop_token_ids?", with(nullable(array(u32)), "Tokens that end the answer, beside the model's own")),
        ("ignore_eos?", with(nullable(boolean), "Whether to go on over the model's end tokens")),
        (
            "truncate?",
            with(["type": ["integer", "null"], "minimum": 1], "Keep only the last tokens of the prompt")
        ),
    ]

    private static let answer: [(String, JSON)] = [
        ("details?", with(boolean, "Whether the answer tells its tokens", default: false)),
        (
            "decoder_input_details?",
            with(boolean, "Whether it tells the prompt's tokens; needs --enable-prefill-logprobs", default: false)
        ),
        ("top_n_tokens?", with(nullable(u32), "Likeliest tokens to tell at each place")),
        ("return_full_text?", with(nullable(boolean), "Whether the prompt stands before the text")),
        (
            "best_of?",
            with(["type": ["integer", "null"], "minimum": 1], "Generate so many, answer with the likeliest")
        ),
        ("grammar?", with(anything, "Not supported yet: must be absent or null")),
        ("adapter_id?", with(anything, "Not supported yet: must be absent or null")),
    ]

    private static let positive: JSON = ["type": ["number", "null"], "exclusiveMinimum": 0]
    private static let share: JSON = ["type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1]
    private static let penalty: JSON = ["type": ["number", "null"], "minimum": -2, "maximum": 2]
}
