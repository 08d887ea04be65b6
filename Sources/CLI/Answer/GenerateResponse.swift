import Engine
import JSON

/// The answer as TGI's `/generate` gives it, with its keys and their order.
struct GenerateResponse {
    private let result: GenerationResult
    private let before: String

    /// - Parameter before: Put in front of the generated text.
    init(_ result: GenerationResult, before: String) {
        self.result = result
        self.before = before
    }

    var json: JSON { ["generated_text": .string(before + result.text), "details": details] }

    private var details: JSON {
        var details = JSONObject()
        // An interrupted answer has no reason to report.
        details["finish_reason"] = result.finish.map { .string($0.rawValue) } ?? .null
        details["generated_tokens"] = JSON(result.tokens.count)
        details["seed"] = result.seed.map { JSON($0) } ?? .null
        details["prefill"] = .array(
            result.prompt.map { ["id": JSON($0.id), "text": .string($0.text), "logprob": logprob($0.logprob)] })
        details["tokens"] = .array(result.tokens.map(token))
        if !result.topTokens.isEmpty { details["top_tokens"] = .array(result.topTokens.map { .array($0.map(token)) }) }
        return .object(details)
    }

    private func token(_ token: GeneratedToken) -> JSON {
        [
            "id": JSON(token.id), "text": .string(token.text), "logprob": logprob(token.logprob),
            "special": .bool(token.isSpecial),
        ]
    }

    /// JSON has no infinity.
    private func logprob(_ value: Float?) -> JSON {
        value.flatMap { $0.isFinite ? JSON($0) : nil } ?? .null
    }
}
