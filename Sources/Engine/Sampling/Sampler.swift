/// Chooses the next token of one sequence.
///
/// The same seed, position and logits give the same token, whatever was drawn before and whatever else runs: a draw is one uniform number
/// of a generator keyed by seed and position, looked up in the cumulated probabilities in ascending order of ids.
package struct Sampler: Sendable {
    package let parameters: SamplingParameters
    /// The seed of the draws: the one given, or a random one.
    package let seed: UInt64
    private let penalties: [any LogitProcessor]
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
        penalties = SamplingChain.penalties.compactMap { $0.init(parameters) }
        warpers = parameters.isGreedy ? [] : SamplingChain.warpers.compactMap { $0.init(parameters) }
        let needsHistory = penalties.contains { type(of: $0).readsHistory }
        history = needsHistory ? TokenHistory(prompt: prompt, vocabulary: vocabulary) : nil
    }

    /// The seed as TGI reports it: `nil` where nothing was drawn.
    package var reportedSeed: UInt64? { parameters.isGreedy ? nil : seed }

    /// Chooses a token and takes note of it.
    ///
    /// - Parameters:
    ///   - logits: one per token of the vocabulary. NaN counts as minus infinity; plus infinity is an error.
    ///   - position: the place of the chosen token in the sequence.
    ///   - topCount: how many of the likeliest tokens to report.
    ///   - wantsLogprob: a greedy step is faster without.
    package mutating func choose(
        logits: Span<Float>,
        position: Int,
        topCount: Int = 0,
        wantsLogprob: Bool = true,
        using candidates: inout Candidates
    ) throws(SamplingError) -> SampledToken {
        let token =
            if parameters.isGreedy && penalties.isEmpty && topCount == 0 {
                try likeliest(logits, wantsLogprob: wantsLogprob)
            } else {
                try process(logits, position: position, topCount: topCount, using: &candidates)
            }
        history?.record(token.id)
        return token
    }

    private func likeliest(_ logits: Span<Float>, wantsLogprob: Bool) throws(SamplingError) -> SampledToken {
        guard let index = logits.indexOfMaximum() else { throw .noCandidate }
        guard logits[index] < .infinity else { throw .overflow }
        return SampledToken(
            id: Int32(index),
            logprob: wantsLogprob ? logits.logprob(of: index, maximum: logits[index]) : nil)
    }

    private func process(
        _ logits: Span<Float>, position: Int, topCount: Int, using candidates: inout Candidates
    ) throws(SamplingError) -> SampledToken {
        try candidates.load(logits)
        for penalty in penalties { penalty.apply(to: &candidates, history: history) }
        guard let likeliest = candidates.likeliest() else { throw .noCandidate }
        for warper in warpers { warper.apply(to: &candidates, history: history) }
        candidates.normalize()
        let chosen =
            parameters.isGreedy ? likeliest : candidates.draw(Philox.uniform(seed: seed, position: position))
        return SampledToken(
            id: candidates.id(at: chosen),
            logprob: candidates.logprob(candidates.score(at: chosen)),
            top: topCount > 0 ? candidates.top(topCount) : [])
    }
}
