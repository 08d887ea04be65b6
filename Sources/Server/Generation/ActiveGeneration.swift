internal import Logging
package import Engine

/// A generation under way: its events, the times and counts that answers report, and its permit.
///
/// However it ends, it is counted and logged once: by the event that finishes it, by an error, or by ``abandon()``; or with its request,
/// by ``withdraw()``.
package struct ActiveGeneration: Sendable {
    package let request: ValidRequest
    /// `nil` where nothing is drawn at random.
    package let seed: UInt64?
    package private(set) var prefill: [PromptToken] = []
    package private(set) var generatedTokens = 0
    package private(set) var cachedTokens = 0
    package private(set) var timing: GenerationTiming

    private let server: ServerContext
    private let span: RequestSpan
    private let disconnection: Disconnection
    private let permit: Permit
    private let stream: GenerationStream
    private var events: GenerationStream.Iterator
    private var isOver = false

    fileprivate init(
        _ exchange: Exchange, _ request: ValidRequest, _ timing: GenerationTiming, _ span: RequestSpan, permit: Permit
    ) {
        server = exchange.server
        disconnection = exchange.disconnection
        self.request = request
        self.timing = timing
        self.span = span
        self.permit = permit
        seed = request.engine.sampling.isGreedy ? nil : request.engine.sampling.seed
        let stream = server.engine.submit(request.engine)
        self.stream = stream
        events = stream.makeAsyncIterator()
        exchange.onDisconnect { stream.cancel() }
    }

    /// The next token, or `nil` behind the last one.
    /// - Throws: What the engine throws, or ``APIError/incompleteGeneration`` where the stream ends too early: the client hung up, or
    ///   the engine was stopped.
    package mutating func next() async throws(APIError) -> GenerationEvent? {
        while !isOver {
            let event: StreamEvent?
            do {
                event = try await events.next(isolation: nil)
            } catch {
                let error = APIError(error)
                fail(error)
                throw error
            }
            switch event {
            case .admitted(let instant, let cachedTokens):
                timing.admitted = instant
                self.cachedTokens = cachedTokens
            case .prompt(let tokens): prefill = tokens
            case .token(let event):
                generatedTokens += 1
                if event.finish != nil { finish() }
                return event
            case nil:
                if disconnection.hasHappened { abandon() } else { fail(.incompleteGeneration) }
                throw .incompleteGeneration
            }
        }
        return nil
    }

    /// Waits a moment for the first token, so that what fails before it can still be told by a status.
    ///
    /// - Throws: As ``next()``.
    package mutating func awaitStart() async throws(APIError) {
        try await awaitStart(within: server.options.timeouts.start)
    }

    fileprivate mutating func awaitStart(within limit: Duration) async throws(APIError) {
        // A stream that ends so has no token for us: this throws.
        if await stream.endsBeforeItStarts(within: limit) { _ = try await next() }
    }

    /// Ends a generation that nobody reads any more, if it has not ended.
    package mutating func abandon() {
        guard !isOver else { return }
        stream.cancel()
        end()
        server.metrics.failed(.dropped)
        server.log.info("Client disconnected", metadata: span.metadata(timing, seed: seed))
    }

    /// Ends a generation whose request has failed as a whole: that is counted and logged already.
    package mutating func withdraw() {
        guard !isOver else { return }
        stream.cancel()
        end()
    }

    private mutating func finish() {
        end()
        server.metrics.finished(timing, request)
        server.log.info("Success", metadata: span.metadata(timing, seed: seed))
    }

    private mutating func fail(_ error: APIError) {
        end()
        if let failure = error.failure { server.metrics.failed(failure) }
        server.log.error("\(error.message)", metadata: span.metadata(timing, seed: seed))
    }

    private mutating func end() {
        isOver = true
        timing.finished = .now
        timing.generatedTokens = generatedTokens
        // Before the client can know: its next request must not find this one in its way.
        permit.giveBack()
    }
}

extension Array<ActiveGeneration> {
    /// The same for several: waits for the first, and looks at how the others do. One that fails ends all.
    package mutating func awaitStart() async throws(APIError) {
        for index in indices {
            do throws(APIError) {
                if index == 0 {
                    try await self[0].awaitStart()
                } else {
                    try await self[index].awaitStart(within: .zero)
                }
            } catch {
                for index in indices { self[index].withdraw() }
                throw error
            }
        }
    }
}

extension Exchange {
    /// Checks a request, takes a permit and hands it to the engine: what every route that generates begins with.
    ///
    /// - Parameters:
    ///   - started: When the route's handler began to work on the request.
    ///   - addSpecial: Whether the tokens that mark the borders of a text are added; a chat template has written them already.
    /// - Returns: As many generations as `best_of` says.
    /// - Throws: An error that has been counted and logged.
    package func generate(
        _ inputs: String, _ parameters: GenerateParameters, as spanName: String, isStreaming: Bool,
        started: ContinuousClock.Instant, addSpecial: Bool = true,
        frequencyForm: SamplingParameters.FrequencyForm = .relative,
        adjust: (inout GenerationRequest) -> Void = { _ in }
    ) throws(APIError) -> [ActiveGeneration] {
        let span = RequestSpan(spanName, parameters: parameters.debugText, trace: trace)
        let permits: [Permit]
        var valid: ValidRequest
        do {
            let validation = Validation(server)
            try validation.checkForm(parameters, isStreaming: isStreaming)
            permits = try server.permits.take(isStreaming ? 1 : max(1, parameters.bestOf ?? 1))
            valid = try validation.validate(
                inputs, parameters, addSpecial: addSpecial, frequencyForm: frequencyForm)
        } catch {
            report(error, in: span)
            throw error
        }
        valid.engine.wantsLogprobs = isStreaming || parameters.wantsDetails || permits.count > 1
        adjust(&valid.engine)
        let timing = GenerationTiming(started: started, queued: .now)
        return permits.map { permit in
            var request = valid
            request.engine.sampling.seed = parameters.seed ?? .random(in: 0...UInt64.max)
            return ActiveGeneration(self, request, timing, span, permit: permit)
        }
    }

    /// Counts and logs an error that ends a request before it gets to the engine.
    package func report(_ error: APIError, in span: RequestSpan) {
        if let failure = error.failure { server.metrics.failed(failure) }
        server.log.error("\(error.message)", metadata: span.metadata)
    }
}
