package import Engine
internal import Tokenizer

/// The checks that a request must pass, with TGI's messages in TGI's order.
package struct Validation: Sendable {
    private let options: ServerOptions
    private let limits: EngineLimits
    private let tokenizer: Tokenizer
    /// No chunk of TGI's is longer; a larger `max_new_tokens` is checked as if it were this.
    private static let longestChunk = 1024

    package init(_ server: ServerContext) {
        options = server.options
        limits = server.engine.limits
        tokenizer = server.tokenizer
    }

    /// What is checked before a request asks for a permit.
    package func checkForm(_ parameters: GenerateParameters, isStreaming: Bool) throws(APIError) {
        if isStreaming {
            if let bestOf = parameters.bestOf, bestOf != 1 {
                throw .validation("`best_of` != 1 is not supported when streaming tokens")
            }
            if parameters.decoderInputDetails {
                throw .validation("`decoder_input_details` == true is not supported when streaming tokens")
            }
            return
        }
        guard let bestOf = parameters.bestOf, bestOf != 1 else { return }
        if bestOf > 1 && options.maxBestOf <= 1 {
            throw .validation("`best_of` != 1 is not allowed for this endpoint")
        }
        guard (1...max(1, options.maxBestOf)).contains(bestOf) else {
            throw .validation("`best_of` must be > 0 and <= \(options.maxBestOf). Given: \(bestOf)")
        }
    }

    /// Checks everything else and turns text into tokens.
    ///
    /// - Parameters:
    ///   - addSpecial: Whether the tokens that mark the borders of a text are added; a chat template has written them already.
    ///   - frequencyForm: How the route counts for the frequency penalty.
    package func validate(
        _ inputs: String, _ parameters: GenerateParameters, addSpecial: Bool = true,
        frequencyForm: SamplingParameters.FrequencyForm = .relative
    ) throws(APIError) -> ValidRequest {
        try checkSampling(parameters)
        try checkLengths(parameters)
        if inputs.isEmpty { throw .validation("`inputs` cannot be empty") }
        if let truncate = parameters.truncate, !(1...max(1, limits.maxInputTokens)).contains(truncate) {
            throw .validation(
                "`truncate` must be strictly positive and less than \(limits.maxInputTokens). Given: \(truncate)")
        }
        let tokens = truncated(
            tokenizer.encode(inputs, addSpecial: addSpecial, parseSpecial: true), to: parameters.truncate)
        let budget = max(0, limits.maxTotalTokens - tokens.count)
        let chunk = min(parameters.maxNewTokens.map { Int($0) } ?? budget, Self.longestChunk)
        if tokens.count + chunk > limits.maxTotalTokens {
            throw .validation(
                "`inputs` tokens + `max_new_tokens` must be <= \(limits.maxTotalTokens). Given: \(tokens.count) "
                    + "`inputs` tokens and \(chunk) `max_new_tokens`")
        }
        if tokens.count > limits.maxInputTokens {
            throw .validation("`inputs` must have less than \(limits.maxInputTokens) tokens. Given: \(tokens.count)")
        }
        if parameters.grammar != nil { throw .validation("grammar is not supported") }
        if parameters.watermark { throw .validation("watermark is not supported") }
        if let adapter = parameters.adapterID { throw .validation("adapter `\(adapter)` does not exist") }
        return ValidRequest(
            engine: engineRequest(tokens, parameters, frequencyForm), inputs: inputs, parameters: parameters,
            chunk: chunk)
    }

    private func checkSampling(_ parameters: GenerateParameters) throws(APIError) {
        func check<T>(_ value: T?, _ message: String, _ isValid: (T) -> Bool) throws(APIError) {
            if let value, !isValid(value) { throw .validation(message) }
        }
        let bestOf = parameters.bestOf ?? 1
        if bestOf > 1 && !parameters.doSample && !parameters.shapesSampling {
            throw .validation("you must use sampling when `best_of` is > 1")
        }
        try check(parameters.temperature, "`temperature` must be strictly positive") { $0 > 0 && $0.isFinite }
        try check(parameters.repetitionPenalty, "`repetition_penalty` must be strictly positive") {
            $0 > 0 && $0.isFinite
        }
        try check(parameters.frequencyPenalty, "`frequency_penalty` must be >= -2.0 and <= 2.0") { abs($0) <= 2 }
        try check(parameters.presencePenalty, "`presence_penalty` must be >= -2.0 and <= 2.0") { abs($0) <= 2 }
        try check(parameters.topP, "`top_p` must be > 0.0 and < 1.0") { $0 > 0 && $0 < 1 }
        try check(parameters.typicalP, "`typical_p` must be > 0.0 and < 1.0") { $0 > 0 && $0 < 1 }
        try check(parameters.minP, "`min_p` must be >= 0.0 and <= 1.0") { $0 >= 0 && $0 <= 1 }
        try check(parameters.topK, "`top_k` must be strictly positive") { $0 > 0 }
    }

    private func checkLengths(_ parameters: GenerateParameters) throws(APIError) {
        if parameters.maxNewTokens == 0 { throw .validation("`max_new_tokens` must be strictly positive") }
        if parameters.stop.count > options.maxStopSequences {
            throw .validation(
                "`stop` supports up to \(options.maxStopSequences) stop sequences. Given: \(parameters.stop.count)")
        }
        if let id = parameters.stopTokenIDs.first(where: { $0 >= UInt32(clamping: tokenizer.vocabulary.count) }) {
            throw .validation("`stop_token_ids` must be < \(tokenizer.vocabulary.count). Given: \(id)")
        }
        if parameters.seed != nil && (parameters.bestOf ?? 1) > 1 {
            throw .validation("`seed` must not be set when `best_of` > 1")
        }
        if let count = parameters.topNTokens, count > options.maxTopNTokens {
            throw .validation("`top_n_tokens` must be >= 0 and <= \(options.maxTopNTokens). Given: \(count)")
        }
    }

    /// The last tokens, behind the one that begins a text.
    private func truncated(_ tokens: [TokenID], to length: Int?) -> [TokenID] {
        guard let length, tokens.count > length else { return tokens }
        guard let first = tokenizer.firstToken, tokens.first == first else { return Array(tokens.suffix(length)) }
        return [first] + tokens.suffix(length - 1)
    }

    private func engineRequest(
        _ tokens: [TokenID], _ parameters: GenerateParameters, _ frequencyForm: SamplingParameters.FrequencyForm
    ) -> GenerationRequest {
        var request = GenerationRequest(prompt: tokens)
        request.maxNewTokens = parameters.maxNewTokens.map { Int($0) }
        request.stopStrings = parameters.stop
        request.stopTokens = Set(parameters.stopTokenIDs.map { TokenID(truncatingIfNeeded: $0) })
        request.ignoreEndOfGeneration = parameters.ignoreEOS
        request.topTokens = Int(parameters.topNTokens ?? 0)
        request.wantsPromptLogprobs = parameters.decoderInputDetails && options.prefillLogprobs
        request.sampling.doSample = parameters.doSample
        request.sampling.temperature = parameters.temperature
        request.sampling.topK = parameters.topK.map { Int($0) }
        request.sampling.topP = parameters.topP
        request.sampling.typicalP = parameters.typicalP
        request.sampling.minP = parameters.minP
        request.sampling.repetitionPenalty = parameters.repetitionPenalty
        request.sampling.frequencyPenalty = parameters.frequencyPenalty
        request.sampling.frequencyForm = frequencyForm
        request.sampling.presencePenalty = parameters.presencePenalty
        request.sampling.seed = parameters.seed
        return request
    }
}

/// A request that has passed all checks.
package struct ValidRequest: Sendable {
    /// What the engine gets; its seed is set when the request is submitted.
    package var engine: GenerationRequest
    package let inputs: String
    package let parameters: GenerateParameters
    /// Tokens that TGI would reserve for the answer.
    let chunk: Int

    package var inputLength: Int { engine.prompt.count }
    /// Unicode characters of the prompt.
    package var characters: Int { inputs.unicodeScalars.count }
}
