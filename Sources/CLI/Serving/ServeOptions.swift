import ArgumentParser

/// Limits on requests and batches.
struct LimitOptions: ParsableArguments {
    /// Memory is planned for so many sequences without an overflow.
    private static let largestBatch = 1 << 16

    @Option(help: "Requests served at the same time at most; more get status 429.")
    var maxConcurrentRequests = 128

    @Option(help: "The most that a request may ask for as best_of.")
    var maxBestOf = 2

    @Option(help: "Stop strings of a request at most.")
    var maxStopSequences = 4

    @Option(help: "The most that a request may ask for as top_n_tokens.")
    var maxTopNTokens: UInt32 = 5

    @Option(help: "Tokens of a prompt at most. (default: one less than --max-total-tokens)")
    var maxInputTokens: Int?

    @Option(help: ArgumentHelp("The old name of --max-input-tokens.", visibility: .hidden))
    var maxInputLength: Int?

    @Option(
        help: "Tokens of a prompt and its answer at most. (default: the trained length, or what fits the memory)")
    var maxTotalTokens: Int?

    @Option(help: "Prompt tokens that one step runs at most. (default: 512)")
    var maxBatchPrefillTokens: Int?

    @Option(help: "Tokens in the KV cache at most, for all requests together. (default: what fits the memory)")
    var maxBatchTotalTokens: Int?

    @Option(help: "Requests that run in one batch at most. (default: 64, or --max-concurrent-requests if less)")
    var maxBatchSize: Int?

    @Option(help: "Prompts of one call of /v1/completions at most.")
    var maxClientBatchSize = 4

    @Option(help: "Tokens to draft per step from the request's own text; changes speed, never the text.")
    var speculate: Int?

    @Option(help: "Bytes of a request at most.")
    var payloadLimit = 2_000_000

    @Option(help: "Accepted as TGI does: text is tokenized where requests are handled.")
    var validationWorkers = 2

    @Flag(help: "Allow decoder_input_details: log-probabilities of the prompt's tokens.")
    var enablePrefillLogprobs = false

    func validate() throws {
        func check(_ name: String, _ value: Int?, atLeast least: Int = 1) throws {
            if let value, value < least { throw ValidationError("`\(name)` must be >= \(least)") }
        }
        func check(_ name: String, _ value: Int?, atMost most: Int) throws {
            if let value, value > most { throw ValidationError("`\(name)` must be <= \(most). Given: \(value)") }
        }
        try check("max_concurrent_requests", maxConcurrentRequests)
        try check("max_best_of", maxBestOf)
        try check("max_stop_sequences", maxStopSequences, atLeast: 0)
        try check("max_client_batch_size", maxClientBatchSize)
        try check("payload_limit", payloadLimit)
        try check("speculate", speculate, atLeast: 0)
        try check("max_batch_size", maxBatchSize, atMost: Self.largestBatch)
        for (name, tokens) in [
            ("max_total_tokens", maxTotalTokens), ("max_input_tokens", maxInputTokens ?? maxInputLength),
            ("max_batch_prefill_tokens", maxBatchPrefillTokens), ("max_batch_total_tokens", maxBatchTotalTokens),
        ] {
            try check(name, tokens, atMost: Int(Int32.max))
            try check(name, tokens, atLeast: 0)
        }
        if maxInputTokens != nil && maxInputLength != nil {
            throw ValidationError("--max-input-tokens and --max-input-length exclude each other")
        }
        if let maxBatchSize, maxBatchSize < 1 { throw ValidationError("`max_batch_size` must be > 0") }
        if validationWorkers < 1 { throw ValidationError("`validation_workers` must be > 0") }
    }
}

/// Where and to whom is served.
struct NetworkOptions: ParsableArguments {
    @Option(help: "Address to listen on.")
    var hostname = "0.0.0.0"

    @Option(name: .shortAndLong, help: "Port to listen on; 0 takes a free one.")
    var port = 3000

    @Option(help: ArgumentHelp("Key that requests for text must send as a bearer token.", valueName: "key"))
    var apiKey: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Origin whose pages may call. May be repeated. (default: any)", valueName: "origin"))
    var corsAllowOrigin: [String] = []

    @Option(
        name: [.customShort("g"), .long],
        help: ArgumentHelp("Time for requests that run when the server is told to stop.", valueName: "seconds"))
    var gracefulTerminationTimeout = 90

    func validate() throws {
        if !(0...65_535).contains(port) { throw ValidationError("--port must be from 0 to 65535") }
        if gracefulTerminationTimeout < 0 {
            throw ValidationError("--graceful-termination-timeout must not be negative")
        }
        if apiKey == "" { throw ValidationError("--api-key must not be empty") }
    }
}

/// How the server speaks of itself.
struct LogOptions: ParsableArguments {
    @Flag(help: "One JSON object per log line.")
    var jsonOutput = false

    @Flag(
        name: [.customShort("e"), .long], help: "Log the version, the device and the processor's instruction set first."
    )
    var env = false
}
