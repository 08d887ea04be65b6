internal import Engine
internal import JSON
internal import Tokenizer

/// What chat and completion requests share: the sampling, the end and the form of the answer, by OpenAI's names.
///
/// Where OpenAI's clients say "off" with a value, that value is off here: `top_p` 1, `temperature` 0 for a greedy choice, and `null`
/// everywhere.
struct OpenAIParameters: Sendable {
    /// The name that the client calls the model by. Whatever it is, this server's one model answers.
    let model: String?
    let isStreaming: Bool
    /// Whether a stream ends with what it used.
    let includesUsage: Bool
    /// Answers to each prompt.
    let count: UInt32?
    let temperature: Float?
    let logitBias: [TokenID: Float]
    /// What of all this has a name in TGI's own parameters.
    let native: GenerateParameters

    /// - Parameter lengthKeys: The members that may give the length; the last one given wins.
    init(_ members: Members, lengthKeys: String...) throws(DecodingFailure) {
        model = try members.optional("model", .string)
        isStreaming = try members.optional("stream", .bool) ?? false
        includesUsage = try members.optional("stream_options", Self.streamOptions) ?? false
        count = try members.optional("n", .u32)
        temperature = try members.optional("temperature", .f32)
        logitBias = try members.optional("logit_bias", Self.logitBias) ?? [:]
        var native = GenerateParameters()
        for key in lengthKeys { native.maxNewTokens = try members.optional(key, .u32) ?? native.maxNewTokens }
        native.temperature = temperature == 0 ? nil : temperature
        native.doSample = temperature != 0
        native.topP = try members.optional("top_p", .f32).flatMap { $0 == 1 ? nil : $0 }
        native.topK = try members.optional("top_k", .i32)
        native.minP = try members.optional("min_p", .f32)
        native.repetitionPenalty = try members.optional("repetition_penalty", .f32)
        native.frequencyPenalty = try members.optional("frequency_penalty", .f32)
        native.presencePenalty = try members.optional("presence_penalty", .f32)
        native.stop = try members.optional("stop", Self.stop) ?? []
        native.seed = try members.optional("seed", .u64)
        native.ignoreEOS = try members.optional("ignore_eos", .bool) ?? false
        native.details = true
        self.native = native
    }

    private static let streamOptions = FieldType<Bool>.object("StreamOptions") { (members) throws(DecodingFailure) in
        try members.optional("include_usage", .bool) ?? false
    }

    /// One text or several.
    private static let stop = FieldType<[String]> { (json) throws(DecodingFailure) in
        if let text = json.stringValue { return [text] }
        return try FieldType<[String]>.array(of: .string).read(json)
    }

    /// From the ids of tokens, as text, to what is added to their scores.
    private static let logitBias = FieldType<[TokenID: Float]> { (json) throws(DecodingFailure) in
        guard let object = json.objectValue else { throw .invalidType(json, expected: "a map") }
        var biases: [TokenID: Float] = [:]
        for (key, value) in object {
            guard let id = TokenID(key), id >= 0 else { throw .invalidValue(.string(key), expected: "a token id") }
            do throws(DecodingFailure) { biases[id] = try FieldType<Float>.f32.read(value) } catch {
                throw error.within(.key(key))
            }
        }
        return biases
    }
}

extension OpenAIParameters {
    /// Submits `n` generations for each prompt; each one takes a permit.
    ///
    /// - Parameters:
    ///   - native: The parameters to use, with what a route has added.
    ///   - wantsLogprobs: Whether the answer tells them.
    /// - Throws: The first error; generations that have begun are ended.
    func generate(
        _ prompts: [String], _ native: GenerateParameters, as spanName: String, _ exchange: Exchange,
        started: ContinuousClock.Instant, addSpecial: Bool, wantsLogprobs: Bool
    ) throws(APIError) -> [ActiveGeneration] {
        let seed = native.seed ?? .random(in: 0...UInt64.max)
        var generations: [ActiveGeneration] = []
        do throws(APIError) {
            let count = try checkedCount(exchange)
            try checkBias(exchange)
            for prompt in prompts {
                for choice in 0..<count {
                    var parameters = native
                    parameters.seed = seed &+ UInt64(choice)
                    generations += try exchange.generate(
                        prompt, parameters, as: spanName, isStreaming: isStreaming, started: started,
                        addSpecial: addSpecial, frequencyForm: .count
                    ) { request in
                        adjust(&request)
                        request.wantsLogprobs = wantsLogprobs
                    }
                }
            }
        } catch {
            for index in generations.indices { generations[index].withdraw() }
            throw error
        }
        return generations
    }

    /// What has no place among TGI's parameters.
    func adjust(_ request: inout GenerationRequest) {
        request.stopBoundary = .excluded
        if temperature == 0 { request.sampling.temperature = 0 }
        request.sampling.logitBias = logitBias
    }

    private func checkedCount(_ exchange: Exchange) throws(APIError) -> UInt32 {
        let count = count ?? 1
        guard count > 0 else { throw reported(.validation("`n` must be strictly positive"), exchange) }
        // More can never run; without this, a huge number would be submitted one by one only to fail.
        guard count <= exchange.server.options.maxConcurrentRequests else { throw reported(.overloaded, exchange) }
        return count
    }

    private func checkBias(_ exchange: Exchange) throws(APIError) {
        let size = exchange.server.tokenizer.vocabulary.count
        if let id = logitBias.keys.filter({ Int($0) >= size }).min() {
            throw reported(.validation("`logit_bias` must name tokens < \(size). Given: \(id)"), exchange)
        }
        if let value = logitBias.values.first(where: { !(abs($0) <= 100) }) {
            throw reported(.validation("`logit_bias` must be >= -100.0 and <= 100.0. Given: \(value)"), exchange)
        }
    }

    private func reported(_ error: APIError, _ exchange: Exchange) -> APIError {
        exchange.report(error, in: RequestSpan("openai", parameters: native.debugText, trace: exchange.trace))
        return error
    }
}
