/// Decides after each token of one sequence whether it ends, and what of its text may be shown.
///
/// The checks run in TGI's order: the limits first, then the end-of-generation tokens, then the stop strings. The text never goes on
/// behind a stop string, whichever check ends the sequence.
package struct StopCriteria: Sendable {
    /// What one generated token brings.
    package struct Outcome: Sendable, Equatable {
        package let emission: StopMatcher.Emission
        /// `nil` while the sequence goes on.
        package let finish: FinishReason?

        package init(emission: StopMatcher.Emission, finish: FinishReason?) {
            self.emission = emission
            self.finish = finish
        }
    }

    /// Tokens generated so far.
    package private(set) var generated = 0
    private let limit: Int
    private let endTokens: Set<Int32>
    private var matcher: StopMatcher

    /// - Parameters:
    ///   - maxNewTokens: tokens to generate at most; `nil` leaves it to the context.
    ///   - contextRoom: positions of the context that the prompt leaves free.
    ///   - endOfGeneration: the model's tokens that end a sequence.
    ///   - ignoreEndOfGeneration: goes on over the model's tokens, but not over `stopTokens`.
    ///   - stopTokens: tokens that end a sequence because the request says so.
    ///   - stopStrings: looked for in the generated text, special tokens included; empty ones are ignored.
    package init(
        maxNewTokens: Int?,
        contextRoom: Int,
        endOfGeneration: Set<Int32>,
        ignoreEndOfGeneration: Bool = false,
        stopTokens: Set<Int32> = [],
        stopStrings: [String] = [],
        boundary: StopMatcher.Boundary = .included
    ) {
        limit = min(maxNewTokens ?? contextRoom, contextRoom)
        endTokens = ignoreEndOfGeneration ? stopTokens : endOfGeneration.union(stopTokens)
        matcher = StopMatcher(stopStrings, boundary: boundary)
    }

    /// Tokens that the limits leave room for; without room for the first nothing should be generated.
    package var room: Int { max(0, limit - generated) }

    /// Takes a generated token with the text that the detokenizer released for it, which may be empty.
    package mutating func accept(_ id: Int32, text: String, isSpecial: Bool) -> Outcome {
        generated += 1
        var emission = matcher.append(text, isSpecial: isSpecial)
        let finish: FinishReason? =
            if generated >= limit {
                .length
            } else if endTokens.contains(id) {
                .endOfSequence
            } else if matcher.isStopped {
                .stopSequence
            } else {
                nil
            }
        if finish != nil {
            let rest = matcher.finish()
            emission.text += rest.text
            emission.visible += rest.visible
        }
        return Outcome(emission: emission, finish: finish)
    }

    /// The text still held back: to be called when the sequence ends for a reason of its caller's.
    package mutating func finish() -> StopMatcher.Emission { matcher.finish() }
}
