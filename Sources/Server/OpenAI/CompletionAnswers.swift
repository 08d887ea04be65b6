internal import Engine
internal import JSON

/// `text_completion`: the answers to all prompts, or one token of one of them.
struct Completion: JSONWritable {
    struct Choice {
        let index: Int
        let text: String
        let finish: FinishReason?
    }

    let head: AnswerHead
    let choices: [Choice]
    /// `nil` in the middle of a stream, whose parts do not have the member.
    let usage: Usage?

    /// TGI writes the members of a part of a stream in another order than those of a whole answer.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        head.writeBeginning(to: &writer)
        if usage != nil { head.writeModel(to: &writer) }
        writer.key("choices")
        writer.beginArray()
        for choice in choices {
            writer.beginObject()
            writer.member("index", choice.index)
            writer.member("text", choice.text)
            writer.member("logprobs", String?.none)
            writer.member("finish_reason", choice.finish?.openAI)
            writer.endObject()
        }
        writer.endArray()
        if let usage { writer.member("usage", usage) } else { head.writeModel(to: &writer) }
        writer.endObject()
    }
}
