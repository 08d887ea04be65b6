internal import Tokenizer

/// Generates one text at a time, on the calling thread.
package final class Generator {
    package let runtime: Runtime
    private let batch: Batch
    private var lastID = 0
    /// Whether the last text ended with an error of the device.
    private var hasFailed = false
    private let clock = ContinuousClock()

    package init(_ runtime: Runtime) {
        self.runtime = runtime
        batch = Batch(runtime)
    }

    /// - Parameters:
    ///   - shouldContinue: Asked before each step, also within a long prompt.
    ///   - onEvent: Called for each token as it is generated; `false` ends the generation.
    package func generate(
        _ request: GenerationRequest, shouldContinue: () -> Bool = { true }, onEvent: (GenerationEvent) -> Bool
    ) throws(EngineError) -> GenerationResult {
        let collector = Collector()
        var result = GenerationResult()
        lastID += 1
        if hasFailed {
            try runtime.recover()
            hasFailed = false
        }
        result.seed = try batch.submit(request, id: lastID, to: collector)
        result.timings.promptTokens = request.prompt.count
        var goesOn = true
        let start = clock.now
        var first: ContinuousClock.Instant?
        do {
            while goesOn, !collector.hasEnded {
                goesOn = shouldContinue()
                guard goesOn, let report = try batch.step() else { break }
                if first != nil { result.timings.sampling += report.sampling }
                goesOn = take(collector, request, &result, onEvent)
                if first == nil, !result.tokens.isEmpty { first = clock.now }
            }
        } catch {
            batch.failAll(error)
            hasFailed = true
            throw error
        }
        if let failure = collector.failure { throw failure }
        if collector.hasEnded {
            // Without room for a token there is none.
            result.finish = result.tokens.isEmpty ? .length : result.finish
        } else {
            result.heldBack = batch.cancel(lastID)
            result.text += result.heldBack
        }
        let end = clock.now
        result.timings.prompt = (first ?? end) - start
        result.timings.decode = end - (first ?? end)
        result.timings.generatedTokens = result.tokens.count
        return result
    }

    /// Takes the events of a step over into the result; `false` where the caller ends the generation.
    private func take(
        _ collector: Collector, _ request: GenerationRequest, _ result: inout GenerationResult,
        _ onEvent: (GenerationEvent) -> Bool
    ) -> Bool {
        var goesOn = true
        for event in collector.events {
            switch event {
            case .admitted: break
            case .prompt(let tokens): result.prompt = tokens
            case .token(let event):
                result.tokens.append(event.token)
                if request.topTokens > 0 { result.topTokens.append(event.topTokens) }
                result.text += event.visibleText
                result.finish = event.finish
                goesOn = onEvent(event)
            }
            if !goesOn { break }
        }
        collector.events.removeAll(keepingCapacity: true)
        return goesOn
    }

    /// Keeps the events of a step.
    private final class Collector: GenerationSink {
        var events: [StreamEvent] = []
        private(set) var hasEnded = false
        private(set) var failure: EngineError?

        var isFull: Bool { false }
        func send(_ event: StreamEvent) { events.append(event) }

        func finish(throwing error: EngineError?) {
            hasEnded = true
            failure = error
        }
    }
}
