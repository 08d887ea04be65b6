package import Compute

/// Chooses the next token of one sequence.
///
/// The same seed, position and logits give the same token, whatever was drawn before and whatever else runs: a draw is one uniform number
/// of a generator keyed by seed and position, looked up in the cumulated probabilities in ascending order of ids.
package struct Sampler: Sendable {
    package let parameters: SamplingParameters
    /// The seed of the draws: the one given, or a random one.
    package let seed: UInt64
    private let penalties: Penalties
    private let warpers: [any LogitProcessor]
    private var history: TokenHistory?

    /// - Parameters:
    ///   - prompt: the tokens of the prompt, which the penalties count.
    ///   - vocabulary: logits per step.
    package init(
        _ parameters: SamplingParameters, prompt: [Int32], vocabulary: Int
    ) throws(SamplingError) {
        try parameters.validate(vocabulary: vocabulary)
        self.parameters = parameters
        seed = parameters.seed ?? UInt64.random(in: .min ... .max)
        penalties = Penalties(parameters)
        warpers = parameters.isGreedy ? [] : SamplingChain.warpers.compactMap { $0.init(parameters) }
        history = penalties.readsHistory ? TokenHistory(prompt: prompt, vocabulary: vocabulary) : nil
    }

    /// The seed as TGI reports it: `nil` where nothing was drawn.
    package var reportedSeed: UInt64? { parameters.isGreedy ? nil : seed }

    /// Chooses a token and takes note of it.
    ///
    /// - Parameters:
    ///   - logits: one per token of the vocabulary. NaN counts as minus infinity; plus infinity is an error.
    ///   - isProcessed: penalties and biases are in the logits (``requestHead(_:topCount:into:)``).
    ///   - position: the place of the chosen token in the sequence.
    ///   - topCount: how many of the likeliest tokens to report.
    ///   - wantsLogprob: a greedy step is faster without.
    package mutating func choose(
        logits: Span<Float>,
        isProcessed: Bool = false,
        position: Int,
        topCount: Int = 0,
        wantsLogprob: Bool = true,
        using candidates: inout Candidates
    ) throws(SamplingError) -> SampledToken {
        let token: SampledToken
        if isPlain(topCount) {
            token = try likeliest(logits, wantsLogprob: wantsLogprob)
        } else {
            try candidates.load(logits)
            if !isProcessed { penalties.apply(to: &candidates, history) }
            token = try pick(from: &candidates, position: position, topCount: topCount)
        }
        history?.record(token.id)
        return token
    }

    /// Whether nothing but the likeliest token is wanted.
    private func isPlain(_ topCount: Int) -> Bool { parameters.isGreedy && penalties.isEmpty && topCount == 0 }

    private func likeliest(_ logits: Span<Float>, wantsLogprob: Bool) throws(SamplingError) -> SampledToken {
        guard let index = logits.indexOfMaximum() else { throw .noCandidate }
        guard logits[index] < .infinity else { throw .overflow }
        return SampledToken(
            id: Int32(index),
            logprob: wantsLogprob ? logits.logprob(of: index, maximum: logits[index]) : nil)
    }

    private func pick(
        from candidates: inout Candidates, position: Int, topCount: Int
    ) throws(SamplingError) -> SampledToken {
        guard let likeliest = candidates.likeliest() else { throw .noCandidate }
        for warper in warpers { warper.apply(to: &candidates) }
        candidates.normalize()
        let chosen =
            parameters.isGreedy ? likeliest : candidates.draw(Philox.uniform(seed: seed, position: position))
        return SampledToken(
            id: candidates.id(at: chosen),
            logprob: candidates.logprob(candidates.score(at: chosen)),
            top: topCount > 0 ? candidates.top(topCount) : [])
    }
}

// MARK: Heads

extension Sampler {
    /// Tokens that have occurred, and biases, beyond which a row comes itself: a list of them would be as long.
    private static let mostChanges = 4096

    /// Chooses a token by the head of its row, the same as by the row itself, and takes note of it if the head tells.
    package mutating func choose(
        head: RowHead, position: Int, topCount: Int = 0, wantsLogprob: Bool = true, using candidates: inout Candidates
    ) throws(SamplingError) -> HeadChoice {
        guard head.isUsable else { return .row }
        candidates.load(head)
        let token = try pick(from: &candidates, position: position, topCount: topCount)
        guard !candidates.fallsShort else { return .row }
        if let block = candidates.pendingBlock { return .block(block, top: token.top) }
        history?.record(token.id)
        return .token(isPlain(topCount) && !wantsLogprob ? SampledToken(id: token.id) : token)
    }

    /// Ends a choice by a head (``HeadChoice/block(_:top:)``), with the candidates that it left.
    ///
    /// - Returns: `nil` where the row has to decide.
    package mutating func choose(
        block: RowBlock, top: [TokenLogprob], using candidates: inout Candidates
    ) -> SampledToken? {
        guard let (id, score) = candidates.draw(from: block) else { return nil }
        history?.record(id)
        return SampledToken(id: id, logprob: candidates.logprob(score), top: top)
    }

    /// Describes the next wanted row, and those after each of `drafts`, for a device that gives heads.
    package mutating func requestHeads(_ drafts: ArraySlice<Int32>, topCount: Int, into inputs: inout StepInputs) {
        for draft in drafts {
            requestHead(topCount, &inputs)
            history?.record(draft)
        }
        requestHead(topCount, &inputs)
        for draft in drafts.reversed() { history?.forget(draft) }
    }

    private func requestHead(_ topCount: Int, _ inputs: inout StepInputs) {
        var request = HeadRequest()
        let changes = penalties.biases.count + (history?.distinct.count ?? 0)
        if changes <= Self.mostChanges, headMayTell(topCount) {
            request.isWanted = true
            request.temperature = parameters.isGreedy ? 1 : parameters.temperature ?? 1
            penalties.append(history, to: &inputs, &request)
        }
        inputs.heads.append(request)
    }

    /// Whether a head may be enough, with a block of the row where every token of the vocabulary may be drawn.
    private func headMayTell(_ topCount: Int) -> Bool {
        guard topCount <= HeadLayout.capacity / 2 else { return false }
        if parameters.isGreedy { return true }
        let narrows = (parameters.topK ?? .max) <= HeadLayout.capacity / 2 || parameters.topP != nil
        return (narrows || parameters.typicalP == nil && parameters.topK == nil)
            && (parameters.temperature ?? 1).isNormal
    }
}

/// What a head tells.
package enum HeadChoice: Sendable {
    case token(SampledToken)
    /// The token is one of a block, whose logits decide; the likeliest tokens that were asked for.
    case block(Int, top: [TokenLogprob])
    /// The row has to decide.
    case row
}
