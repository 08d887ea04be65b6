/// What a request asks of sampling; `nil` leaves a step of the chain off, as in TGI.
package struct SamplingParameters: Sendable, Equatable {
    /// How the frequency penalty counts.
    package enum FrequencyForm: Sendable {
        /// TGI's: the share of a token among all tokens of prompt and output.
        case relative
        /// OpenAI's: how often a token has been generated.
        case count
    }

    /// Samples even where no other parameter asks for it.
    package var doSample = false
    /// Divides the scores; 0 is greedy. 1 alone does not ask for sampling.
    package var temperature: Float?
    /// Keeps this many of the likeliest tokens, and those that tie with the last of them.
    package var topK: Int?
    /// Keeps the smallest set of likeliest tokens that has this mass.
    package var topP: Float?
    /// Keeps the tokens nearest to the expected information until they have this mass.
    package var typicalP: Float?
    /// Drops tokens less likely than this share of the likeliest.
    package var minP: Float?
    package var repetitionPenalty: Float?
    package var frequencyPenalty: Float?
    package var frequencyForm = FrequencyForm.relative
    package var presencePenalty: Float?
    /// What is added to the scores of single tokens.
    package var logitBias: [Int32: Float] = [:]
    /// Without a seed the sampler draws a random one.
    package var seed: UInt64?

    package init() {}

    /// Whether the likeliest token is taken: nothing asks for sampling, or the temperature is 0.
    package var isGreedy: Bool {
        if temperature == 0 { return true }
        let shapes = [topP, typicalP].contains { $0.map { $0 < 1 } ?? false } || topK != nil || minP != nil
        return !doSample && !shapes && (temperature ?? 1) == 1
    }

    /// Throws for the first parameter outside its range.
    ///
    /// - Parameter vocabulary: Logits per step.
    package func validate(vocabulary: Int = .max) throws(SamplingError) {
        func check<T>(
            _ name: String, _ value: T?, _ requirement: String, _ isValid: (T) -> Bool
        ) throws(SamplingError) {
            if let value, !isValid(value) { throw .parameter(name: name, requirement: requirement) }
        }
        let openUnit = "must be > 0 and < 1"
        try check("temperature", temperature, "must be > 0, or 0 for greedy") { $0 >= 0 && $0.isFinite }
        try check("repetition penalty", repetitionPenalty, "must be > 0") { $0 > 0 && $0.isFinite }
        try check("frequency penalty", frequencyPenalty, "must be >= -2 and <= 2") { $0 >= -2 && $0 <= 2 }
        try check("presence penalty", presencePenalty, "must be >= -2 and <= 2") { $0 >= -2 && $0 <= 2 }
        try check("top-p", topP, openUnit) { $0 > 0 && $0 < 1 }
        try check("typical-p", typicalP, openUnit) { $0 > 0 && $0 < 1 }
        try check("min-p", minP, "must be >= 0 and <= 1") { $0 >= 0 && $0 <= 1 }
        try check("top-k", topK, "must be > 0") { $0 > 0 }
        try check("logit bias", logitBias, "must be finite") { $0.values.allSatisfy(\.isFinite) }
        try check("logit bias", logitBias, "must be for tokens of the vocabulary") {
            $0.keys.allSatisfy { $0 >= 0 && $0 < vocabulary }
        }
    }
}
