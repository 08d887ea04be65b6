/// What a server needs of an engine: many requests at once, each with a stream of its own.
package protocol TextGeneration: Sendable {
    var limits: EngineLimits { get }
    /// Whether the device works; after a fault `false` until a ``probe()`` succeeds.
    var isHealthy: Bool { get }

    /// Queues a request. It never waits: what is wrong with the request, or with the engine, is thrown by the stream.
    func submit(_ request: GenerationRequest) -> GenerationStream
    /// Recovers the device if it has failed, runs one token, and tells whether that worked.
    func probe() async -> Bool
    /// Ends all requests and the engine's thread; returns when both are gone.
    func stop() async
}

/// What an engine allows.
package struct EngineLimits: Sendable {
    /// Tokens of a prompt at most.
    package var maxInputTokens: Int
    /// Tokens of a prompt and its answer at most; positions of the context.
    package var maxTotalTokens: Int
    /// Prompt tokens that one step runs at most, over all requests.
    package var maxBatchPrefillTokens: Int
    /// Tokens in the KV cache at most, over all running requests.
    package var maxBatchTotalTokens: Int
    /// Requests that run at the same time at most.
    package var maxBatchSize: Int
    /// Tokens that n-gram speculation drafts per step; 0 turns it off.
    package var speculation = 0

    package init(
        maxInputTokens: Int, maxTotalTokens: Int, maxBatchPrefillTokens: Int, maxBatchTotalTokens: Int,
        maxBatchSize: Int
    ) {
        self.maxInputTokens = maxInputTokens
        self.maxTotalTokens = maxTotalTokens
        self.maxBatchPrefillTokens = maxBatchPrefillTokens
        self.maxBatchTotalTokens = maxBatchTotalTokens
        self.maxBatchSize = maxBatchSize
    }
}

/// What a ``GenerationStream`` delivers, in this order.
package enum StreamEvent: Sendable {
    /// The first rows of the request are about to run. Once, before all others.
    case admitted(at: ContinuousClock.Instant, cachedTokens: Int)
    /// The prompt has been run; only where its log-probabilities were asked for.
    case prompt([PromptToken])
    /// A token; the last has a finish reason, and with it the stream ends.
    case token(GenerationEvent)
}

/// Watches an engine's steps, for metrics. Called on the engine's thread: it must be quick and never wait.
package protocol EngineObserver: Sendable {
    func stepFinished(_ report: StepReport)
}

/// What one step did, and how the engine stands after it. When the last requests leave between two steps, a report of no rows follows.
package struct StepReport: Sendable {
    /// Prompt tokens and generated tokens that the step ran.
    package var promptRows = 0
    package var decodeRows = 0
    /// Requests that joined the batch with this step.
    package var admitted = 0
    /// Requests that lost their blocks and start again.
    package var preempted = 0
    /// For each request that drafted in this step, how many of its drafts were right.
    package var acceptedDrafts: [Int] = []
    /// The forward pass, and the choice of tokens with what follows it.
    package var forward = Duration.zero
    package var sampling = Duration.zero
    /// Requests running and waiting after the step, and tokens held in the KV cache for the running ones.
    package var running = 0
    package var waiting = 0
    package var tokensInUse = 0
    /// Whether the device failed.
    package var failed = false

    package init() {}
}
