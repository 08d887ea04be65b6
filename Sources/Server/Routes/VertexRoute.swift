internal import Engine
internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// `POST /vertex`: several prompts in, their texts out.
enum VertexRoute {
    static let route = Route(
        .post, "/vertex", access: .key,
        Operation(
            "vertex_compatibility", "Generate text for several prompts", tag: "Text generation",
            body: .reference("VertexRequest"),
            answers: [.json("The texts", .reference("VertexResponse"))] + Operation.Answer.requestErrors
                + Operation.Answer.generationErrors)
    ) { (exchange) throws(APIError) in
        let started = ContinuousClock.now
        let instances = try await exchange.decode(requestType)
        exchange.server.metrics.entered(1 + instances.count)
        guard !instances.isEmpty else { throw .vertexNoInstances }
        var generations: [ActiveGeneration] = []
        var prefixes: [String] = []
        for instance in instances {
            let prompt = try instance.prompt(exchange)
            generations += try generation(prompt, exchange, started)
            prefixes.append(prompt.parameters.returnFullText == true ? prompt.inputs : "")
        }
        let outcomes: [GenerationOutcome]
        do { outcomes = try await generations.collectAll() } catch { throw .vertexIncompleteGeneration }
        return .json { writer in
            writer.beginObject()
            writer.member("predictions", zip(prefixes, outcomes).map { $0 + $1.text })
            writer.endObject()
        }
    }

    /// What one instance asks for.
    struct Prompt: Sendable {
        var inputs: String
        var parameters: GenerateParameters
        /// Whether a chat template has written the tokens that mark the borders of a text.
        var isTemplated = false
        var frequencyForm = SamplingParameters.FrequencyForm.relative
        /// What has no place among the parameters.
        var adjust: @Sendable (inout GenerationRequest) -> Void = { _ in }
    }

    /// How an instance becomes a prompt; may fail by its template.
    struct Instance: Sendable {
        let prompt: @Sendable (Exchange) throws(APIError) -> Prompt
    }

    private static func generation(
        _ prompt: Prompt, _ exchange: Exchange, _ started: ContinuousClock.Instant
    ) throws(APIError) -> [ActiveGeneration] {
        var parameters = prompt.parameters
        parameters.bestOf = nil
        return try exchange.generate(
            prompt.inputs, parameters, as: "vertex", isStreaming: false, started: started,
            addSpecial: !prompt.isTemplated, frequencyForm: prompt.frequencyForm, adjust: prompt.adjust)
    }

    /// A member that only one form of instance has, and how such an instance is read.
    private static let forms: [(key: String, instance: FieldType<Instance>)] = [
        (
            "inputs",
            .object("VertexInstance") { (members) throws(DecodingFailure) in
                let inputs = try members.required("inputs", .string)
                let parameters = try members.optional("parameters", GenerateParameters.type) ?? .absent
                let prompt = Prompt(inputs: inputs, parameters: parameters)
                return Instance { (_) throws(APIError) in prompt }
            }
        ),
        (
            "messages",
            ChatRequest.type.map { request in
                Instance { (exchange) throws(APIError) in
                    let prompt = try ChatPrompt(request, as: "vertex", exchange)
                    return Prompt(
                        inputs: prompt.text, parameters: prompt.parameters, isTemplated: true, frequencyForm: .count,
                        adjust: request.parameters.adjust)
                }
            }
        ),
    ]

    private static let instanceType = FieldType<Instance> { (json) throws(DecodingFailure) in
        for form in forms where json[form.key] != nil { return try form.instance.read(json) }
        throw DecodingFailure("data did not match any variant of untagged enum VertexInstance")
    }

    private static let requestType = FieldType<[Instance]>.object("VertexRequest") {
        (members) throws(DecodingFailure) in try members.required("instances", .array(of: instanceType))
    }
}
