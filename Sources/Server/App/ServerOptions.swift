/// What an operator sets: TGI's flags that concern requests and connections.
package struct ServerOptions: Sendable {
    package var host = "0.0.0.0"
    /// 0 takes any free port.
    package var port = 3000
    package var maxConcurrentRequests = 128
    package var maxBestOf = 2
    package var maxStopSequences = 4
    package var maxTopNTokens: UInt32 = 5
    /// Prompts of one call of /v1/completions at most.
    package var maxClientBatchSize = 4
    package var validationWorkers = 2
    /// Bytes of a request's body at most.
    package var payloadLimit = 2_000_000
    /// Whoever asks for text must send this as a bearer token.
    package var apiKey: String?
    /// Origins whose pages may call; empty allows all.
    package var allowedOrigins: [String] = []
    package var prefillLogprobs = false
    /// How long requests that run may go on after the server was told to stop.
    package var gracefulTermination = Duration.seconds(90)
    /// The value of `x-compute-type`.
    package var computeType = "cpu"
    package var timeouts = Timeouts()

    package struct Timeouts: Sendable {
        /// A connection without a request, or that sends none of one.
        package var idle = Duration.seconds(60)
        /// From the head of a request to the end of its body.
        package var requestBody = Duration.seconds(60)
        /// How long a client may take nothing of an answer that waits for it.
        package var stalledReader = Duration.seconds(60)
        /// How long a stream's first token is waited for before its answer begins: what fails until then has a status of its own.
        package var start = Duration.seconds(5)
        /// Silence in a stream of events, after which a comment is sent.
        package var keepAlive = Duration.seconds(15)

        package init() {}
    }

    package init() {}
}
