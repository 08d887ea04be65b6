internal import Models
internal import Tokenizer

/// Generates one sequence at a time.
package final class Generator {
    package let runtime: Runtime
    private var candidates = Candidates()
    private let clock = ContinuousClock()

    package init(_ runtime: Runtime) { self.runtime = runtime }

    /// - Parameters:
    ///   - shouldContinue: Asked before each step, also within a long prompt.
    ///   - onEvent: Called for each token as it is generated; `false` ends the generation.
    package func generate(
        _ request: GenerationRequest, shouldContinue: () -> Bool = { true }, onEvent: (GenerationEvent) -> Bool
    ) throws(EngineError) -> GenerationResult {
        let context = runtime.configuration.contextLength
        guard !request.prompt.isEmpty else { throw .emptyPrompt }
        guard request.prompt.count < context else {
            throw .promptTooLong(tokens: request.prompt.count, context: context)
        }
        var sequence = try SequenceState(request, runtime)
        var result = GenerationResult()
        result.seed = sequence.sampler.reportedSeed
        result.timings.promptTokens = request.prompt.count
        guard request.maxNewTokens != 0 else {
            result.finish = .length
            return result
        }

        let start = clock.now
        guard let first = try prefill(request, &sequence, &result, shouldContinue) else { return result }
        let decodeStart = clock.now
        result.timings.prompt = decodeStart - start
        var next: SampledToken? = first
        while let token = next {
            let event = sequence.accept(token)
            result.tokens.append(event.token)
            if request.topTokens > 0 { result.topTokens.append(event.topTokens) }
            result.text += event.visibleText
            result.finish = event.finish
            guard onEvent(event), event.finish == nil, shouldContinue() else { break }
            try runtime.step([
                .init(tokens: [token.id], position: request.prompt.count + result.tokens.count - 1, outputs: 1)
            ])
            let sampling = clock.now
            next = try choose(&sequence, row: 0)
            result.timings.sampling += clock.now - sampling
        }
        result.timings.decode = clock.now - decodeStart
        result.timings.generatedTokens = result.tokens.count
        return result
    }

    /// Runs the prompt and chooses the first token; `nil` where the caller ended it.
    private func prefill(
        _ request: GenerationRequest, _ sequence: inout SequenceState, _ result: inout GenerationResult,
        _ shouldContinue: () -> Bool
    ) throws(EngineError) -> SampledToken? {
        let prompt = request.prompt
        var logprobs: [Float?] = [nil]
        var chosen: SampledToken?
        let done = try runtime.run(
            prompt, logitsFrom: request.wantsPromptLogprobs ? 0 : prompt.count - 1, shouldContinue: shouldContinue
        ) { (index, logits) throws(EngineError) in
            if index < prompt.count - 1 {
                logprobs.append(logits.logprob(of: Int(prompt[index + 1])))
            } else {
                chosen = try sequence.choose(logits, &candidates)
            }
        }
        guard done else { return nil }
        if request.wantsPromptLogprobs { result.prompt = sequence.promptTokens(prompt, logprobs) }
        return chosen
    }

    private func choose(_ sequence: inout SequenceState, row: Int) throws(EngineError) -> SampledToken {
        try runtime.withLogits(row) { (logits) throws(EngineError) in try sequence.choose(logits, &candidates) }
    }
}

/// The state of a sequence under generation.
private struct SequenceState {
    private(set) var sampler: Sampler
    private var criteria: StopCriteria
    private var detokenizer: Detokenizer
    private let tokenizer: Tokenizer
    private let request: GenerationRequest
    private var length: Int

    init(_ request: GenerationRequest, _ runtime: Runtime) throws(EngineError) {
        self.request = request
        tokenizer = runtime.tokenizer
        do {
            sampler = try Sampler(
                request.sampling, prompt: request.prompt, vocabulary: runtime.model.vocabularySize)
        } catch {
            throw .sampling(error)
        }
        criteria = StopCriteria(
            maxNewTokens: request.maxNewTokens,
            contextRoom: runtime.configuration.contextLength - request.prompt.count,
            endOfGeneration: tokenizer.endOfGeneration,
            ignoreEndOfGeneration: request.ignoreEndOfGeneration,
            stopTokens: request.stopTokens,
            stopStrings: request.stopStrings,
            boundary: request.stopBoundary)
        detokenizer = tokenizer.detokenizer(skipSpecial: false)
        length = request.prompt.count
    }

    mutating func choose(_ logits: Span<Float>, _ candidates: inout Candidates) throws(EngineError) -> SampledToken {
        defer { length += 1 }
        do {
            return try sampler.choose(
                logits: logits, position: length, topCount: request.topTokens, wantsLogprob: request.wantsLogprobs,
                using: &candidates)
        } catch {
            throw .sampling(error)
        }
    }

    /// Takes a chosen token and decides what of its text may be shown and whether the sequence goes on.
    mutating func accept(_ token: SampledToken) -> GenerationEvent {
        let isSpecial = tokenizer.vocabulary.isSpecial(token.id)
        let text = detokenizer.append(token.id)
        var outcome = criteria.accept(token.id, text: text, isSpecial: isSpecial)
        if outcome.finish != nil, outcome.finish != .stopSequence {
            let rest = detokenizer.finish()
            outcome = .init(
                emission: .init(text: outcome.emission.text + rest, visible: outcome.emission.visible + rest),
                finish: outcome.finish)
        }
        return GenerationEvent(
            token: GeneratedToken(
                id: token.id, text: outcome.emission.text, logprob: token.logprob, isSpecial: isSpecial),
            topTokens: token.top.map {
                GeneratedToken(
                    id: $0.id, text: tokenizer.vocabulary.piece($0.id), logprob: $0.logprob,
                    isSpecial: tokenizer.vocabulary.isSpecial($0.id))
            },
            visibleText: outcome.emission.visible,
            finish: outcome.finish)
    }

    func promptTokens(_ prompt: [TokenID], _ logprobs: [Float?]) -> [PromptToken] {
        zip(prompt, logprobs).map { PromptToken(id: $0, text: tokenizer.vocabulary.piece($0), logprob: $1) }
    }
}

extension Vocabulary {
    fileprivate func isSpecial(_ id: TokenID) -> Bool { contains(id) && attributes[Int(id)].isSpecial }
}
