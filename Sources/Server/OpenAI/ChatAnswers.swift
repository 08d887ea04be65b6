internal import Engine
internal import JSON

/// `chat.completion`: whole answers, in the order of their indices.
struct ChatCompletion: JSONWritable {
    let head: AnswerHead
    let outcomes: [GenerationOutcome]
    let showsLogprobs: Bool

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        head.writeBeginning(to: &writer)
        head.writeModel(to: &writer)
        writer.key("choices")
        writer.beginArray()
        for (index, outcome) in outcomes.enumerated() {
            writer.beginObject()
            writer.member("index", index)
            writer.key("message")
            writer.beginObject()
            writer.member("role", "assistant")
            writer.member("content", outcome.text)
            writer.endObject()
            writer.member(
                "logprobs",
                showsLogprobs ? ChatLogprobs(tokens: outcome.tokens, topTokens: outcome.topTokens) : nil)
            writer.member("finish_reason", outcome.finish.openAI)
            writer.endObject()
        }
        writer.endArray()
        writer.member("usage", Usage(outcomes, answers: outcomes.count))
        writer.endObject()
    }
}

/// `chat.completion.chunk`: one token, or behind all of them what was used.
struct ChatChunk: JSONWritable {
    enum Content {
        case token(GenerationEvent, index: Int, showsLogprobs: Bool)
        case usage(Usage)
    }

    let head: AnswerHead
    let content: Content

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        head.writeBeginning(to: &writer)
        head.writeModel(to: &writer)
        writer.key("choices")
        writer.beginArray()
        if case .token(let event, let index, let showsLogprobs) = content {
            writer.beginObject()
            writer.member("index", index)
            writer.key("delta")
            writer.beginObject()
            writer.member("role", "assistant")
            writer.member("content", event.visibleText)
            writer.endObject()
            writer.member(
                "logprobs", showsLogprobs ? ChatLogprobs(tokens: [event.token], topTokens: [event.topTokens]) : nil)
            writer.member("finish_reason", event.finish?.openAI)
            writer.endObject()
        }
        writer.endArray()
        if case .usage(let usage) = content {
            writer.member("usage", usage)
        } else {
            writer.member("usage", Usage?.none)
        }
        writer.endObject()
    }
}
