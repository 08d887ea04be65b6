/// Texts of tokens that mean something in the chats of some models and that no key of a file names.
///
/// Models change hands: a fine-tune of one architecture is often taught the chat of another. So what one architecture states holds for
/// every vocabulary that has such a token.
package struct ChatMarks: Sendable {
    /// A text that does not end an answer in vocabularies with certain other ends.
    package struct Exception: Sendable {
        package let text: String
        /// One end of each group is there.
        package let besides: [[String]]
        /// What the token is then.
        package let becomes: TokenAttributes

        package init(_ text: String, besides: [[String]], becomes: TokenAttributes) {
            self.text = text
            self.besides = besides
            self.becomes = becomes
        }
    }

    /// Ends of a turn, the likeliest first.
    package var turnEnds: [String]
    /// Other ends of an answer: a text's end, a call of a tool.
    package var otherEnds: [String]
    package var exceptions: [Exception]
    /// Marks within an answer that a client wants to see.
    package var visible: [String]

    package init(
        turnEnds: [String] = [], otherEnds: [String] = [], exceptions: [Exception] = [], visible: [String] = []
    ) {
        self.turnEnds = turnEnds
        self.otherEnds = otherEnds
        self.exceptions = exceptions
        self.visible = visible
    }

    /// What `all` of them say, in their order, and what is said of models that are no architecture's own.
    init(joining all: [ChatMarks]) {
        let all = all + [.others]
        self.init(
            turnEnds: all.flatMap(\.turnEnds), otherEnds: all.flatMap(\.otherEnds),
            exceptions: all.flatMap(\.exceptions), visible: all.flatMap(\.visible))
    }

    /// Gemma 4, PLaMo, SmolVLM, Code Llama, MiniMax, Solar.
    private static let others = ChatMarks(
        turnEnds: ["<EOT>", "_<EOT>", "<end_of_utterance>", "<turn|>"],
        otherEnds: ["<|flush|>", "<|calls|>", "</s>", "<eos>", "<|tool_response>", "[e~["],
        exceptions: [
            Exception("<|end|>", besides: [["<|calls|>"], ["<|flush|>"]], becomes: .userDefined),
            Exception("</s>", besides: [["<|tool_response>", "<|plamo:eos|>"]], becomes: .normal),
        ])
}
