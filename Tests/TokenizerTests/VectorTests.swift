import Foundation
import GGUF
import Models
import TestSupport
import Testing
import Tokenizer

/// Real vocabularies with the ids that their own tokenizers give.
struct VectorTests {
    static let withVectors = [
        "bert-bge", "deepseek-coder", "falcon", "gemma-4", "gpt-2", "llama-bpe", "llama-spm", "qwen2",
    ]

    @Test(arguments: withVectors)
    func `gives the expected ids`(name: String) throws {
        guard let vectors = try Vectors(name) else { return }
        let tokenizer = try Tokenizer(vectors.metadata)
        #expect(vectors.cases.count > 40)
        for (text, expected) in vectors.cases {
            let ids = tokenizer.encode(text, addSpecial: false, parseSpecial: false)
            #expect(ids == expected, "\(text.debugDescription)")
        }
    }

    /// All but WordPiece, which folds its input, and SentencePiece's prefix keep every byte.
    @Test(arguments: withVectors.filter { $0 != "bert-bge" } + ["phi-3", "stories512"])
    func `gives the text back`(name: String) throws {
        guard let metadata = try Vectors.metadata(name), let texts = try Vectors("gpt-2")?.cases.map({ $0.text }) else {
            return
        }
        let tokenizer = try Tokenizer(metadata)
        for text in texts {
            let ids = tokenizer.encode(text, addSpecial: true, parseSpecial: false)
            #expect(tokenizer.decode(ids, skipSpecial: true) == text)
        }
    }
}

/// A vocabulary of the test data with its strings and ids.
struct Vectors {
    let metadata: Metadata
    let cases: [(text: String, ids: [TokenID])]

    static func metadata(_ name: String) throws -> Metadata? {
        guard let path = TestData.path("data/vocab/ggml-vocab-\(name).gguf") else { return nil }
        return try GGUFFile.open(path).metadata
    }

    init?(_ name: String) throws {
        guard let metadata = try Self.metadata(name),
            let inputs = TestData.path("data/vocab/ggml-vocab-\(name).gguf.inp"),
            let outputs = TestData.path("data/vocab/ggml-vocab-\(name).gguf.out")
        else { return nil }
        self.metadata = metadata
        var texts = try String(contentsOfFile: inputs, encoding: .utf8)
            .components(separatedBy: "\n__ggml_vocab_test__\n")
        var lines = try String(contentsOfFile: outputs, encoding: .utf8).components(separatedBy: "\n")
        if texts.last == "" { texts.removeLast() }
        if lines.count > texts.count, lines.last == "" { lines.removeLast() }
        try #require(texts.count == lines.count)
        cases = zip(texts, lines).map { text, line in
            (text, line.split(separator: " ").map { TokenID($0)! })
        }
    }
}
