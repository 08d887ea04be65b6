internal import Engine
internal import JSON

/// What every OpenAI answer begins with.
struct AnswerHead: Sendable {
    let object: String
    let model: String
    let fingerprint: String

    /// - Parameter model: The name under which the client knows the model, if the answer repeats it.
    init(_ object: String, _ server: ServerContext, model: String? = nil) {
        self.object = object
        self.model = model.flatMap { $0 == "tgi" ? nil : $0 } ?? server.model.id
        fingerprint = server.model.fingerprint
    }

    /// The members up to the time of creation.
    func writeBeginning(to writer: inout JSONWriter) {
        writer.member("object", object)
        writer.member("id", "")
        writer.member("created", WallTime.now.seconds)
    }

    func writeModel(to writer: inout JSONWriter) {
        writer.member("model", model)
        writer.member("system_fingerprint", fingerprint)
    }
}

/// Tokens used; the prompt counts once, however many answers it has.
struct Usage: Sendable, JSONWritable {
    var promptTokens = 0
    var completionTokens = 0
    /// Of the prompt, those that did not need to be computed again.
    var cachedTokens = 0

    /// - Parameter answers: Generations to each prompt, which stand one behind the other.
    init(_ generations: [ActiveGeneration], answers: Int = 1) {
        for (index, generation) in generations.enumerated() {
            completionTokens += generation.generatedTokens
            guard index.isMultiple(of: answers) else { continue }
            promptTokens += generation.request.inputLength
            cachedTokens += generation.cachedTokens
        }
    }

    init(_ outcomes: [GenerationOutcome], answers: Int = 1) {
        for (index, outcome) in outcomes.enumerated() {
            completionTokens += outcome.generatedTokens
            guard index.isMultiple(of: answers) else { continue }
            promptTokens += outcome.request.inputLength
            cachedTokens += outcome.cachedTokens
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("prompt_tokens", promptTokens)
        writer.member("completion_tokens", completionTokens)
        writer.member("total_tokens", promptTokens + completionTokens)
        writer.key("prompt_tokens_details")
        writer.beginObject()
        writer.member("cached_tokens", cachedTokens)
        writer.endObject()
        writer.endObject()
    }
}

extension FinishReason {
    /// In OpenAI's words: whatever ended the text but its length is a stop.
    var openAI: String { self == .length ? "length" : "stop" }
}

/// `{"content": [one entry for each token]}`
struct ChatLogprobs: JSONWritable {
    let tokens: [GeneratedToken]
    /// The likeliest tokens at each place; empty where they were not asked for.
    let topTokens: [[GeneratedToken]]

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("content")
        writer.beginArray()
        for (index, token) in tokens.enumerated() {
            writer.beginObject()
            Self.write(token, to: &writer)
            writer.key("top_logprobs")
            writer.beginArray()
            for top in index < topTokens.count ? topTokens[index] : [] {
                writer.beginObject()
                Self.write(top, to: &writer)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ token: GeneratedToken, to writer: inout JSONWriter) {
        writer.member("token", token.text)
        writer.member("logprob", token.logprob)
    }
}
