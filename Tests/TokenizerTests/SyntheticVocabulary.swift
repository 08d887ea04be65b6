import GGUF
import Tokenizer

/// Vocabularies made for one test.
enum Synthetic {
    /// A byte-level vocabulary: 256 bytes, the results of `merges` in order, then `special` as control tokens.
    static func bytePair(
        merges: [(String, String)] = [], special: [String] = [], userDefined: [String] = [], pre: String = "gpt-2"
    ) -> Metadata {
        let bytes = (0..<256).map { spelling(UInt8($0)) }
        let results = merges.map { $0.0 + $0.1 }
        let tokens = bytes + results + special + userDefined
        let types =
            [Int32](repeating: 1, count: bytes.count + results.count) + [Int32](repeating: 3, count: special.count)
            + [Int32](repeating: 4, count: userDefined.count)
        return Metadata([
            ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(pre)),
            ("tokenizer.ggml.tokens", .array(.strings(StringTable(tokens)))),
            ("tokenizer.ggml.token_type", .array(.int32(types))),
            ("tokenizer.ggml.merges", .array(.strings(StringTable(merges.map { "\($0.0) \($0.1)" })))),
        ])
    }

    /// A SentencePiece vocabulary: <unk>, <s>, </s>, 256 bytes, then `pieces` with their scores.
    static func sentencePiece(_ pieces: [(String, Float)], model: String = "llama") -> Metadata {
        let bytes = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "<0x" + String(repeating: "0", count: 2 - digits.count) + digits + ">"
        }
        let types: [Int32] =
            [2, 3, 3] + [Int32](repeating: 6, count: 256) + [Int32](repeating: 1, count: pieces.count)
        return Metadata([
            ("tokenizer.ggml.model", .string(model)),
            (
                "tokenizer.ggml.tokens",
                .array(.strings(StringTable(["<unk>", "<s>", "</s>"] + bytes + pieces.map { $0.0 })))
            ),
            ("tokenizer.ggml.scores", .array(.float32([Float](repeating: 0, count: 259) + pieces.map { $0.1 }))),
            ("tokenizer.ggml.token_type", .array(.int32(types))),
            ("tokenizer.ggml.unknown_token_id", .uint32(0)),
            ("tokenizer.ggml.eos_token_id", .uint32(2)),
        ])
    }

    /// GPT-2's spelling of a byte.
    static func spelling(_ byte: UInt8) -> String {
        func isPrintable(_ byte: UInt8) -> Bool {
            (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
        }
        if isPrintable(byte) { return String(Unicode.Scalar(byte)) }
        let position = (0..<byte).count { !isPrintable($0) }
        return String(Unicode.Scalar(UInt32(0x100 + position))!)
    }
}
