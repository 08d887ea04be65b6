/// A token with its log-probability under the processed scores of its step.
package struct TokenLogprob: Sendable, Equatable {
    package let id: Int32
    package let logprob: Float

    package init(id: Int32, logprob: Float) {
        self.id = id
        self.logprob = logprob
    }
}
