import ArgumentParser

/// How the next token is chosen. Greedy unless one of these is given.
struct SamplingOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: "Seed of the random choice: the same seed gives the same text. (default: random)")
    var seed: UInt64?

    @Option(help: "Flattens (above 1) or sharpens (below 1) the choice; 0 is greedy.")
    var temperature: Float?

    @Option(help: "Keep the K likeliest tokens.")
    var topK: Int?

    @Option(help: "Keep the likeliest tokens that together reach the probability P.")
    var topP: Float?

    @Option(help: "Keep the most typical tokens that together reach the probability P.")
    var typicalP: Float?

    @Option(help: "Drop tokens less likely than P times the likeliest.")
    var minP: Float?

    @Option(help: "Divides the logits of tokens seen in prompt or answer; above 1 discourages them.")
    var repetitionPenalty: Float?

    @Option(
        parsing: .unconditional,
        help: "Lowers the logit of a token by its share of prompt and answer times this, from -2 to 2.")
    var frequencyPenalty: Float?

    @Option(
        parsing: .unconditional, help: "Lowers the logits of tokens already in the answer by this, from -2 to 2.")
    var presencePenalty: Float?

    func validate() throws {
        try check("--temperature", temperature, "at least 0") { $0 >= 0 }
        try check("--top-k", topK.map(Float.init), "at least 1") { $0 >= 1 }
        try check("--top-p", topP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try check("--typical-p", typicalP, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        try check("--min-p", minP, "from 0 to 1") { $0 >= 0 && $0 <= 1 }
        try check("--repetition-penalty", repetitionPenalty, "above 0") { $0 > 0 }
        try check("--frequency-penalty", frequencyPenalty, "from -2 to 2") { abs($0) <= 2 }
        try check("--presence-penalty", presencePenalty, "from -2 to 2") { abs($0) <= 2 }
    }

    private func check(_ name: String, _ value: Float?, _ range: String, _ holds: (Float) -> Bool) throws {
        if let value, !(value.isFinite && holds(value)) { throw ValidationError("\(name) must be \(range)") }
    }
}

/// When the answer ends.
struct StoppingOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .customLong("max-new-tokens")], parsing: .unconditional,
        help: ArgumentHelp(
            "Tokens to write at most; -1: until the model ends or the context is full.",
            valueName: "tokens"))
    private var mostNewTokens = -1

    /// `nil` for no limit.
    var maxNewTokens: Int? { mostNewTokens == -1 ? nil : mostNewTokens }

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("End after this text. May be repeated.", valueName: "text"))
    var stop: [String] = []

    @Option(
        help: ArgumentHelp(
            "Another token id that ends the answer, beside the model's own. May be repeated.", valueName: "id"))
    var eosId: [Int32] = []

    @Flag(name: .customLong("ignore-eos"), help: "Go on past the model's end-of-sequence tokens.")
    var ignoreEOS = false

    func validate() throws {
        if let maxNewTokens, maxNewTokens < 1 {
            throw ValidationError("--max-new-tokens must be at least 1, or -1 for no limit")
        }
        if stop.contains("") { throw ValidationError("--stop must not be empty") }
        if eosId.contains(where: { $0 < 0 }) { throw ValidationError("--eos-id must not be negative") }
    }
}

/// What is printed.
struct AnswerOptions: ParsableArguments {
    @Flag(help: "Print the prompt before the answer.")
    var returnFullText = false

    @Flag(help: "Print one JSON object with the text and its tokens, shaped as the answer of TGI's /generate.")
    var details = false

    @Flag(help: "Add the prompt's tokens with their probabilities to the details (turns --details on).")
    var decoderInputDetails = false

    @Option(
        help: ArgumentHelp(
            "Add the N likeliest tokens of each step to the details (turns --details on).", valueName: "n")
    )
    var topNTokens: Int?

    var wantsDetails: Bool { details || decoderInputDetails || topNTokens != nil }

    func validate() throws {
        if let topNTokens, topNTokens < 0 { throw ValidationError("--top-n-tokens must not be negative") }
    }
}
