@testable import Engine
import Synchronization
import Tokenizer

/// An engine without a model: its tokens, its pace and its failures are what a test says. Everything else (stop strings, limits, text
/// of tokens, streams that fill up, cancellation) is as in the real one.
final class ScriptedEngine: TextGeneration {
    /// What happens in place of the next token.
    enum Step {
        case token(TokenID)
        /// Waits; cancellation ends it.
        case pause(Duration)
        case fail(EngineError)
        /// The stream ends without a finish reason.
        case vanish
        /// Waits for ``open()``.
        case gate
        /// Nothing more comes until the client is gone.
        case silence
    }

    /// From a request to what happens; the last step is repeated for ever.
    typealias Script = @Sendable (GenerationRequest) -> [Step]

    struct Counts {
        var submitted = 0
        var cancelled = 0
        var tokens = 0
        var running = 0
        var probes = 0
        var isStopped = false
        var requests: [GenerationRequest] = []
    }

    let limits: EngineLimits
    private let tokenizer: Tokenizer
    private let script: Script
    private let state = Mutex(Counts())
    private let healthy = Atomic(true)

    var counts: Counts { state.withLock { $0 } }
    var isHealthy: Bool { healthy.load(ordering: .relaxed) }
    func set(healthy value: Bool) { healthy.store(value, ordering: .relaxed) }

    private let isOpen = Atomic(false)
    /// Lets all pass that wait at a gate, now and later.
    func open() { isOpen.store(true, ordering: .relaxed) }

    init(_ tokenizer: Tokenizer, limits: EngineLimits, script: @escaping Script) {
        self.tokenizer = tokenizer
        self.limits = limits
        self.script = script
    }

    func submit(_ request: GenerationRequest) -> GenerationStream {
        let isCancelled = Cancellation()
        let (stream, source) = GenerationStream.make { [weak self] in
            isCancelled.set()
            self?.state.withLock { $0.cancelled += 1 }
        }
        state.withLock { state in
            state.submitted += 1
            state.running += 1
            state.requests.append(request)
        }
        Task {
            await run(request, to: source, isCancelled)
            state.withLock { $0.running -= 1 }
        }
        return stream
    }

    func probe() async -> Bool {
        state.withLock { $0.probes += 1 }
        return isHealthy
    }

    func stop() async { state.withLock { $0.isStopped = true } }

    private func run(_ request: GenerationRequest, to source: GenerationStream.Source, _ cancelled: Cancellation) async
    {
        source.send(.admitted(at: .now, cachedTokens: 0))
        if request.wantsPromptLogprobs {
            source.send(
                .prompt(
                    request.prompt.enumerated().map { index, id in
                        PromptToken(id: id, text: piece(id), logprob: index == 0 ? nil : -1.5)
                    }))
        }
        var criteria = StopCriteria(
            maxNewTokens: request.maxNewTokens, contextRoom: limits.maxTotalTokens - request.prompt.count,
            endOfGeneration: tokenizer.endOfGeneration, ignoreEndOfGeneration: request.ignoreEndOfGeneration,
            stopTokens: request.stopTokens, stopStrings: request.stopStrings, boundary: request.stopBoundary)
        var detokenizer = tokenizer.detokenizer(skipSpecial: false)
        let steps = script(request)
        var index = 0
        while !cancelled.isSet {
            let step = steps[min(index, steps.count - 1)]
            index += 1
            while source.isFull && !cancelled.isSet { try? await Task.sleep(for: .milliseconds(2)) }
            switch step {
            case .pause(let duration): await pause(duration, cancelled)
            case .gate:
                while !isOpen.load(ordering: .relaxed), !cancelled.isSet {
                    try? await Task.sleep(for: .milliseconds(2))
                }
            case .silence: await pause(.seconds(60), cancelled)
            case .fail(let error): return source.finish(throwing: error)
            case .vanish: return source.finish()
            case .token(let id):
                let isSpecial = tokenizer.vocabulary.attributes[Int(id)].isSpecial
                var outcome = criteria.accept(id, text: detokenizer.append(id), isSpecial: isSpecial)
                if outcome.finish != nil, outcome.finish != .stopSequence {
                    let rest = detokenizer.finish()
                    outcome = .init(
                        emission: .init(
                            text: outcome.emission.text + rest, visible: outcome.emission.visible + rest),
                        finish: outcome.finish)
                }
                state.withLock { $0.tokens += 1 }
                source.send(.token(event(id, outcome, request, isSpecial: isSpecial)))
                if outcome.finish != nil { return source.finish() }
            }
        }
    }

    private func pause(_ duration: Duration, _ cancelled: Cancellation) async {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end, !cancelled.isSet { try? await Task.sleep(for: .milliseconds(2)) }
    }

    private func event(
        _ id: TokenID, _ outcome: StopCriteria.Outcome, _ request: GenerationRequest, isSpecial: Bool
    ) -> GenerationEvent {
        let logprob: Float? = request.wantsLogprobs ? -0.25 : nil
        let top = (0..<request.topTokens).map { rank in
            let other = TokenID(truncatingIfNeeded: (Int(id) + rank) % tokenizer.vocabulary.count)
            return GeneratedToken(id: other, text: piece(other), logprob: -0.25 - Float(rank), isSpecial: false)
        }
        return GenerationEvent(
            token: GeneratedToken(
                id: id, text: outcome.emission.text, logprob: logprob, isSpecial: isSpecial), topTokens: top,
            visibleText: outcome.emission.visible, finish: outcome.finish)
    }

    private func piece(_ id: TokenID) -> String { tokenizer.vocabulary.piece(id) }

    private final class Cancellation: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }
}
