internal import Compute
internal import Tokenizer

/// What a request needs beyond its place in the schedule: how its tokens are chosen, what ends it, and its text so far.
///
/// Each step, ``run(_:row:_:_:)`` turns logits into tokens and events, on any thread; the engine's thread then reads them.
final class ActiveRequest {
    let sink: any GenerationSink
    private let request: GenerationRequest
    private let tokenizer: Tokenizer
    private var sampler: Sampler
    private var criteria: StopCriteria
    private var detokenizer: Detokenizer
    private var drafter: Drafter
    /// Tokens of the prompt and chosen.
    private var length: Int
    /// Of the tokens of the prompt; only where asked for.
    private var promptLogprobs: [Float?] = []

    /// What the last step brought.
    private(set) var chosen: [TokenID] = []
    private(set) var events: [GenerationEvent] = []
    private(set) var prompt: [PromptToken]?
    private(set) var failure: EngineError?
    /// Tokens to try in the next step.
    private(set) var drafts: [TokenID] = []

    /// - Parameter context: Positions of the sequence at most.
    init(
        _ request: GenerationRequest, _ sink: any GenerationSink, _ tokenizer: Tokenizer, vocabulary: Int, context: Int,
        speculation: Int
    ) throws(EngineError) {
        guard !request.prompt.isEmpty else { throw .emptyPrompt }
        guard request.prompt.count < context else {
            throw .promptTooLong(tokens: request.prompt.count, context: context)
        }
        self.sink = sink
        self.request = request
        self.tokenizer = tokenizer
        do {
            sampler = try Sampler(request.sampling, prompt: request.prompt, vocabulary: vocabulary)
        } catch {
            throw .sampling(error)
        }
        criteria = StopCriteria(
            maxNewTokens: request.maxNewTokens,
            contextRoom: context - request.prompt.count,
            endOfGeneration: tokenizer.endOfGeneration,
            ignoreEndOfGeneration: request.ignoreEndOfGeneration,
            stopTokens: request.stopTokens,
            stopStrings: request.stopStrings,
            boundary: request.stopBoundary)
        detokenizer = tokenizer.detokenizer(skipSpecial: false)
        drafter = Drafter(limit: speculation)
        length = request.prompt.count
    }

    /// Tokens that can still be chosen.
    var room: Int { criteria.room }
    var wantsPromptLogprobs: Bool { request.wantsPromptLogprobs }
    /// `nil` where nothing is drawn.
    var seed: UInt64? { sampler.reportedSeed }
    /// Whether the last step ended the request.
    var hasEnded: Bool { failure != nil || events.last?.finish != nil }

    /// The request's output rows in a step: first those whose next token is known, which are those of the prompt but its last, and then
    /// those that choose a token.
    private func outputRows(_ work: StepPlan.Work) -> (known: Int, choosing: Int) {
        let first = work.first + work.rows - work.outputs
        let known = max(0, min(request.prompt.count - 1, work.first + work.count) - first)
        return (known, work.outputs > 0 && first + known == work.first + work.count - 1 ? work.drafts + 1 : 0)
    }

    /// Says for each of the request's output rows how it is processed.
    func requestHeads(_ work: StepPlan.Work, into inputs: inout StepInputs) {
        let choosing = outputRows(work).choosing
        for _ in 0..<work.outputs - choosing { inputs.heads.append(HeadRequest()) }
        guard choosing > 0 else { return }
        sampler.requestHeads(drafts[..<work.drafts], topCount: request.topTokens, into: &inputs)
    }

    /// Takes the logits of the request's part of a step.
    ///
    /// - Parameter row: The first of its output rows.
    /// - Throws: Errors of the device, which are no matter of one request.
    func run(
        _ work: StepPlan.Work, row: Int, _ runtime: Runtime, _ candidates: inout Candidates
    ) throws(EngineError) {
        chosen.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        prompt = nil
        do {
            let (known, choosing) = outputRows(work)
            let first = work.first + work.rows - work.outputs
            for index in 0..<known {
                let next = Int(request.prompt[first + index + 1])
                try runtime.fetch(row + index)
                promptLogprobs.append(runtime.withLogits(row + index) { $0.logprob(of: next) })
            }
            guard choosing > 0 else { return }
            if request.wantsPromptLogprobs, length == request.prompt.count { prompt = promptTokens() }
            for index in 0...work.drafts {
                let token = try choose(row + known + index, runtime, &candidates)
                chosen.append(token.id)
                events.append(accept(token))
                if events.last?.finish != nil || index == work.drafts || drafts[index] != token.id { break }
            }
            if work.drafts > 0 { drafter.learn(right: chosen.count - 1, of: work.drafts) }
        } catch {
            guard case .sampling = error else { throw error }
            failure = error
        }
    }

    /// Looks for tokens that may come next.
    ///
    /// - Parameter tokens: All tokens of the sequence.
    func draft(after tokens: [TokenID]) { drafter.draft(after: tokens, limit: room - 1, into: &drafts) }

    /// The text still held back, when the request ends for a reason of its caller's.
    func flush() -> String { criteria.finish().visible + detokenizer.finish() }

    private func choose(
        _ row: Int, _ runtime: Runtime, _ candidates: inout Candidates
    ) throws(EngineError) -> SampledToken {
        defer { length += 1 }
        let isProcessed = runtime.hasHead(row)
        if isProcessed, let token = try chooseByHead(row, runtime, &candidates) { return token }
        try runtime.fetch(row)
        do {
            return try runtime.withLogits(row) { (logits) throws(SamplingError) in
                try sampler.choose(
                    logits: logits, isProcessed: isProcessed, position: length, topCount: request.topTokens,
                    wantsLogprob: request.wantsLogprobs, using: &candidates)
            }
        } catch {
            throw .sampling(error)
        }
    }

    /// Chooses by the head of a row, and where the draw asks for it, by one block of the row.
    ///
    /// - Returns: `nil` where the row itself has to decide.
    private func chooseByHead(
        _ row: Int, _ runtime: Runtime, _ candidates: inout Candidates
    ) throws(EngineError) -> SampledToken? {
        let choice: HeadChoice
        do {
            choice = try runtime.withHead(row) { (head) throws(SamplingError) in
                try sampler.choose(
                    head: head, position: length, topCount: request.topTokens,
                    wantsLogprob: request.wantsLogprobs, using: &candidates)
            }
        } catch { throw .sampling(error) }
        return switch choice {
        case .token(let token): token
        case .row: nil
        case .block(let block, let top):
            try runtime.withBlock(block, of: row) { sampler.choose(block: $0, top: top, using: &candidates) }
        }
    }

    /// Takes a chosen token and decides what of its text may be shown and whether the sequence goes on.
    private func accept(_ token: SampledToken) -> GenerationEvent {
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

    private func promptTokens() -> [PromptToken] {
        zip(request.prompt, [nil] + promptLogprobs).map {
            PromptToken(id: $0, text: tokenizer.vocabulary.piece($0), logprob: $1)
        }
    }
}

extension Vocabulary {
    fileprivate func isSpecial(_ id: TokenID) -> Bool { contains(id) && attributes[Int(id)].isSpecial }
}
