package import Tokenizer

/// What to generate.
package struct GenerationRequest: Sendable {
    package var prompt: [TokenID]
    /// Tokens to generate at most; `nil` leaves it to the end of the sequence or of the context.
    package var maxNewTokens: Int?
    package var sampling = SamplingParameters()
    package var stopStrings: [String] = []
    /// Whether the text ends with the stop string or before it.
    package var stopBoundary = StopMatcher.Boundary.included
    /// Tokens that end the sequence beside the model's own.
    package var stopTokens: Set<TokenID> = []
    package var ignoreEndOfGeneration = false
    /// Likeliest tokens to report at each position.
    package var topTokens = 0
    package var wantsLogprobs = false
    package var wantsPromptLogprobs = false

    package init(prompt: [TokenID]) { self.prompt = prompt }
}

/// A generated token as TGI reports it.
package struct GeneratedToken: Sendable, Equatable {
    package let id: TokenID
    package let text: String
    package let logprob: Float?
    package let isSpecial: Bool
}

/// A token of the prompt; the first has no logprob.
package struct PromptToken: Sendable, Equatable {
    package let id: TokenID
    package let text: String
    package let logprob: Float?
}

/// One generated token, in the order of generation.
package struct GenerationEvent: Sendable {
    package let token: GeneratedToken
    package let topTokens: [GeneratedToken]
    /// Text to show, without special tokens; may be empty while characters or stop strings are incomplete.
    package let visibleText: String
    package let finish: FinishReason?
}

package struct GenerationResult: Sendable {
    package var text = ""
    /// The end of ``text`` that no event has shown: held back when the caller ended the generation.
    package var heldBack = ""
    package var tokens: [GeneratedToken] = []
    package var topTokens: [[GeneratedToken]] = []
    package var prompt: [PromptToken] = []
    /// `nil` where the caller ended the generation.
    package var finish: FinishReason?
    /// `nil` where nothing was drawn at random.
    package var seed: UInt64?
    package var timings = GenerationTimings()
}

package struct GenerationTimings: Sendable {
    package var promptTokens = 0
    package var prompt = Duration.zero
    package var generatedTokens = 0
    /// From the first generated token to the last; the first comes out of the prompt's last step.
    package var decode = Duration.zero
    /// Within `decode`, the time of choosing tokens.
    package var sampling = Duration.zero
}
