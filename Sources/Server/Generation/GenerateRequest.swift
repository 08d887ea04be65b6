package import JSON
internal import Tokenizer

/// The body of the native routes.
package struct GenerateRequest: Sendable {
    package var inputs: String
    package var parameters: GenerateParameters
    /// Looked at by `POST /` only.
    package var stream = false

    package init(inputs: String, parameters: GenerateParameters) {
        self.inputs = inputs
        self.parameters = parameters
    }

    package static var type: FieldType<GenerateRequest> {
        .object("GenerateRequest") { (members) throws(DecodingFailure) in
            GenerateRequest(
                inputs: try members.required("inputs", .string),
                parameters: try members.value("parameters", GenerateParameters.type, default: .absent))
        }
    }

    /// The same with `stream`.
    package static var compatType: FieldType<GenerateRequest> {
        .object("CompatGenerateRequest") { (members) throws(DecodingFailure) in
            var request = GenerateRequest(
                inputs: try members.required("inputs", .string),
                parameters: try members.value("parameters", GenerateParameters.type, default: .absent))
            request.stream = try members.value("stream", .bool, default: false)
            return request
        }
    }
}

/// What a client asks of a generation, by TGI's names; nothing is checked yet.
package struct GenerateParameters: Sendable {
    package var bestOf: Int?
    package var temperature: Float?
    package var repetitionPenalty: Float?
    package var frequencyPenalty: Float?
    package var presencePenalty: Float?
    package var topK: Int32?
    package var topP: Float?
    package var typicalP: Float?
    package var minP: Float?
    package var doSample = false
    package var maxNewTokens: UInt32?
    package var returnFullText: Bool?
    package var stop: [String] = []
    package var stopTokenIDs: [UInt32] = []
    package var ignoreEOS = false
    package var truncate: Int?
    package var watermark = false
    package var details = false
    package var decoderInputDetails = false
    package var seed: UInt64?
    package var topNTokens: UInt32?
    package var grammar: JSON?
    package var adapterID: String?

    package init() {}

    /// What a request without `parameters` means: everything at its default, but sampled.
    package static var absent: GenerateParameters {
        var parameters = GenerateParameters()
        parameters.doSample = true
        return parameters
    }

    package static var type: FieldType<GenerateParameters> {
        .object("GenerateParameters") { (members) throws(DecodingFailure) in
            var parameters = GenerateParameters()
            parameters.bestOf = try members.optional("best_of", .usize)
            parameters.temperature = try members.optional("temperature", .f32)
            parameters.repetitionPenalty = try members.optional("repetition_penalty", .f32)
            parameters.frequencyPenalty = try members.optional("frequency_penalty", .f32)
            parameters.presencePenalty = try members.optional("presence_penalty", .f32)
            parameters.topK = try members.optional("top_k", .i32)
            parameters.topP = try members.optional("top_p", .f32)
            parameters.typicalP = try members.optional("typical_p", .f32)
            parameters.minP = try members.optional("min_p", .f32)
            parameters.doSample = try members.value("do_sample", .bool, default: false)
            parameters.maxNewTokens = try members.optional("max_new_tokens", .u32)
            parameters.returnFullText = try members.optional("return_full_text", .bool)
            parameters.stop = try members.value("stop", .array(of: .string), default: [])
            parameters.stopTokenIDs = try members.optional("stop_token_ids", .array(of: .u32)) ?? []
            parameters.ignoreEOS = try members.optional("ignore_eos", .bool) ?? false
            parameters.truncate = try members.optional("truncate", .usize)
            parameters.watermark = try members.value("watermark", .bool, default: false)
            parameters.details = try members.value("details", .bool, default: false)
            parameters.decoderInputDetails = try members.value("decoder_input_details", .bool, default: false)
            parameters.seed = try members.optional("seed", .u64)
            parameters.topNTokens = try members.optional("top_n_tokens", .u32)
            parameters.grammar = try members.optional("grammar", .json)
            parameters.adapterID = try members.optional("adapter_id", .string)
            return parameters
        }
    }

    /// Whether any of the parameters that shape the choice of a token is given.
    var shapesSampling: Bool { temperature != nil || topK != nil || topP != nil || typicalP != nil || minP != nil }

    package var wantsDetails: Bool { details || decoderInputDetails }
}

extension GenerateParameters {
    /// As TGI's log lines show them.
    package var debugText: String {
        func some(_ value: (any CustomStringConvertible)?) -> String { value.map { "Some(\($0))" } ?? "None" }
        func quoted(_ text: String) -> String { JSON.string(text).text() }
        let fields: [(String, String)] = [
            ("best_of", some(bestOf)), ("temperature", some(temperature)),
            ("repetition_penalty", some(repetitionPenalty)), ("frequency_penalty", some(frequencyPenalty)),
            ("presence_penalty", some(presencePenalty)), ("top_k", some(topK)), ("top_p", some(topP)),
            ("typical_p", some(typicalP)), ("min_p", some(minP)), ("do_sample", "\(doSample)"),
            ("max_new_tokens", some(maxNewTokens)), ("return_full_text", some(returnFullText)),
            ("stop", "[\(stop.map(quoted).joined(separator: ", "))]"), ("stop_token_ids", "\(stopTokenIDs)"),
            ("ignore_eos", "\(ignoreEOS)"), ("truncate", some(truncate)), ("watermark", "\(watermark)"),
            ("details", "\(details)"), ("decoder_input_details", "\(decoderInputDetails)"), ("seed", some(seed)),
            ("top_n_tokens", some(topNTokens)), ("grammar", some(grammar)), ("adapter_id", some(adapterID.map(quoted))),
        ]
        return "GenerateParameters { \(fields.map { "\($0): \($1)" }.joined(separator: ", ")) }"
    }
}
