package import Engine
package import JSON

extension GeneratedToken: JSONWritable {
    /// TGI's `Token`.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("text", text)
        writer.member("logprob", logprob)
        writer.member("special", isSpecial)
        writer.endObject()
    }
}

extension PromptToken: JSONWritable {
    /// TGI's `PrefillToken`.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("text", text)
        writer.member("logprob", logprob)
        writer.endObject()
    }
}

/// TGI's `GenerateResponse`: the best outcome, and the others of `best_of` in its details.
package struct GenerateResponse: JSONWritable {
    package let best: GenerationOutcome
    private let others: [GenerationOutcome]
    private let prefix: String

    /// - Parameters:
    ///   - outcomes: One at least; the first of the best ones wins.
    ///   - fullText: Whether the prompt stands before each text.
    package init(_ outcomes: [GenerationOutcome], fullText: Bool) {
        var winner = 0
        for index in outcomes.indices where outcomes[index].score > outcomes[winner].score { winner = index }
        best = outcomes[winner]
        others = outcomes.indices.filter { $0 != winner }.map { outcomes[$0] }
        prefix = fullText ? best.request.inputs : ""
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("generated_text", prefix + best.text)
        if best.request.parameters.wantsDetails {
            writer.key("details")
            writer.beginObject()
            writeMembers(of: best, to: &writer, bestOf: others)
            writer.endObject()
        }
        writer.endObject()
    }

    /// The members that `Details` and `BestOfSequence` share, and those of the first alone.
    private func writeMembers(
        of outcome: GenerationOutcome, to writer: inout JSONWriter, bestOf others: [GenerationOutcome] = []
    ) {
        writer.member("finish_reason", outcome.finish.rawValue)
        writer.member("generated_tokens", outcome.generatedTokens)
        writer.member("seed", outcome.seed)
        writer.member("prefill", outcome.prefill)
        writer.member("tokens", outcome.tokens)
        if !others.isEmpty {
            writer.key("best_of_sequences")
            writer.beginArray()
            for other in others {
                writer.beginObject()
                writer.member("generated_text", prefix + other.text)
                writeMembers(of: other, to: &writer)
                writer.endObject()
            }
            writer.endArray()
        }
        if !outcome.topTokens.isEmpty { writer.member("top_tokens", outcome.topTokens) }
    }
}

/// TGI's `StreamResponse`: one token, and behind the last one the text and the details.
package struct StreamResponse: JSONWritable {
    package let index: Int
    package let event: GenerationEvent
    /// With the last token: the whole text.
    package let generatedText: String?
    /// With the last token, where details were asked for.
    package let details: StreamDetails?

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("index", index)
        writer.member("token", event.token)
        if !event.topTokens.isEmpty { writer.member("top_tokens", event.topTokens) }
        writer.member("generated_text", generatedText)
        writer.member("details", details)
        writer.endObject()
    }
}

/// TGI's `StreamDetails`.
package struct StreamDetails: JSONWritable {
    package let finish: FinishReason
    package let generatedTokens: Int
    package let seed: UInt64?
    package let inputLength: Int

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("finish_reason", finish.rawValue)
        writer.member("generated_tokens", generatedTokens)
        writer.member("seed", seed)
        writer.member("input_length", inputLength)
        writer.endObject()
    }
}
