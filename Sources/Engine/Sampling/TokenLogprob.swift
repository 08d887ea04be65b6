/// A token with its log-probability under the processed scores of its step.
package struct TokenLogprob: Sendable, Equatable {
    package let id: Int32
    package let logprob: Float

    package init(id: Int32, logprob: Float) {
        self.id = id
        self.logprob = logprob
    }
}

extension TokenLogprob {
    /// A token under the model's own distribution, the log-softmax of the logits: for the tokens of a prompt and for perplexity.
    ///
    /// - Parameters:
    ///   - id: a token of the vocabulary.
    ///   - logits: one per token of the vocabulary; NaN counts as minus infinity.
    package init(id: Int32, logits: Span<Float>) throws(SamplingError) {
        guard let likeliest = logits.indexOfMaximum() else { throw .noCandidate }
        self.init(id: id, logprob: logits.logprob(of: Int(id), maximum: logits[likeliest]))
    }
}
