/// The outcome of one step of one sequence.
package struct SampledToken: Sendable, Equatable {
    package let id: Int32
    /// `nil` where it was not asked for.
    package let logprob: Float?
    /// The likeliest tokens, ties with the last of them included: descending by log-probability, then ascending by id.
    package let top: [TokenLogprob]

    package init(id: Int32, logprob: Float? = nil, top: [TokenLogprob] = []) {
        self.id = id
        self.logprob = logprob
        self.top = top
    }
}
