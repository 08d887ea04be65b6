import GGUF
import Models
import TestSupport
import Testing

import Tokenizer

struct RobustnessTests {
    typealias Change = (name: String, key: String, value: Metadata.Value?, names: String)

    static let broken: [Change] = [
        ("no model", "tokenizer.ggml.model", nil, "tokenizer.ggml.model"),
        ("unknown model", "tokenizer.ggml.model", .string("none"), "tokenizer.ggml.model"),
        ("model of a wrong type", "tokenizer.ggml.model", .uint32(3), "tokenizer.ggml.model"),
        ("pre of a wrong type", "tokenizer.ggml.pre", .uint32(3), "tokenizer.ggml.pre"),
        ("no tokens", "tokenizer.ggml.tokens", nil, "tokenizer.ggml.tokens"),
        ("tokens of a wrong type", "tokenizer.ggml.tokens", .array(.int32([1])), "tokenizer.ggml.tokens"),
        ("an empty vocabulary", "tokenizer.ggml.tokens", .array(.strings([])), "tokenizer.ggml.tokens"),
        ("few types", "tokenizer.ggml.token_type", .array(.int32([1, 1])), "tokenizer.ggml.token_type"),
        ("few scores", "tokenizer.ggml.scores", .array(.float32([1])), "tokenizer.ggml.scores"),
        ("no merges", "tokenizer.ggml.merges", nil, "tokenizer.ggml.merges"),
        ("a merge of one", "tokenizer.ggml.merges", .array(.strings(["ab"])), "entry 0"),
        ("a merge of an unknown token", "tokenizer.ggml.merges", .array(.strings(["a b", "漢 b"])), "entry 1"),
        ("a merge into an unknown token", "tokenizer.ggml.merges", .array(.strings(["a c"])), "entry 0"),
        ("an empty merge", "tokenizer.ggml.merges", .array(.strings([""])), "entry 0"),
        ("eos out of range", "tokenizer.ggml.eos_token_id", .uint32(257), "tokenizer.ggml.eos_token_id"),
        ("bos out of range", "tokenizer.ggml.bos_token_id", .int32(-2), "tokenizer.ggml.bos_token_id"),
        ("eot of a wrong type", "tokenizer.ggml.eot_token_id", .string("x"), "tokenizer.ggml.eot_token_id"),
        ("add_bos of a wrong type", "tokenizer.ggml.add_bos_token", .uint32(1), "tokenizer.ggml.add_bos_token"),
    ]

    @Test(arguments: broken)
    func `says what is wrong`(change: Change) throws {
        var metadata = Synthetic.bytePair(merges: [("a", "b")])
        #expect(throws: Never.self) { _ = try Tokenizer(metadata) }
        metadata[change.key] = change.value
        let error = #expect(throws: TokenizerError.self) { _ = try Tokenizer(metadata) }
        #expect(error?.description.contains(change.names) == true, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `tolerates what the reference tolerates`() throws {
        var metadata = Synthetic.bytePair()
        metadata["tokenizer.ggml.pre"] = .string("from-the-future")
        metadata["tokenizer.ggml.padding_token_id"] = .uint32(50_000)
        metadata["tokenizer.ggml.seperator_token_id"] = .uint32(.max)
        let tokenizer = try Tokenizer(metadata)
        #expect(tokenizer.warnings.count == 2)
        #expect(tokenizer.special.padding == nil)
        #expect(tokenizer.encode("1234", addSpecial: false, parseSpecial: false).count == 4)
    }

    @Test func `of equal tokens the last counts`() throws {
        let tokenizer = try Tokenizer(Synthetic.sentencePiece([("▁", 0), ("x", -1), ("x", -1)]))
        #expect(tokenizer.encode("x", addSpecial: false, parseSpecial: false) == [259, 261])
        #expect(tokenizer.warnings.count == 1)
    }

    @Test(arguments: [[], [0], [1, 0, 0, 0], [4, 0, 0, 0, 1, 1, 1, 1], [0xFF, 0xFF, 0xFF, 0xFF, 0, 0]] as [[UInt8]])
    func `a broken character map is an error or no map`(map: [UInt8]) throws {
        var metadata = Synthetic.sentencePiece([("a", -1)], model: "t5")
        metadata["tokenizer.ggml.precompiled_charsmap"] = .array(.uint8(map))
        if map.isEmpty {
            #expect(try Tokenizer(metadata).encode("a", addSpecial: false, parseSpecial: false) == [259])
        } else {
            #expect(throws: TokenizerError.self) { _ = try Tokenizer(metadata) }
        }
    }

    /// Any array in front of valid replacements: no walk over it leaves it.
    @Test func `a hostile character map does not crash`() throws {
        var random = RandomText.Generator(state: 11)
        for _ in 0..<50 {
            let units = (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
            var metadata = Synthetic.sentencePiece([("a", -1)], model: "t5")
            metadata["tokenizer.ggml.precompiled_charsmap"] = .array(.uint8([64, 0, 0, 0] + units + [0x62, 0]))
            let tokenizer = try Tokenizer(metadata)
            for seed in UInt64(0)..<20 {
                _ = tokenizer.encode(RandomText(seed: seed).text, addSpecial: true, parseSpecial: true)
            }
        }
    }

    @Test func `scores that are no numbers do not crash`() throws {
        for score in [Float.nan, .infinity, -.infinity, -.nan] {
            for model in ["llama", "t5"] {
                let pieces: [(String, Float)] = [("a", -1), ("b", -2), ("ab", score), ("ba", -3)]
                let tokenizer = try Tokenizer(Synthetic.sentencePiece(pieces, model: model))
                let ids = tokenizer.encode("abababba", addSpecial: false, parseSpecial: false)
                #expect(ids.allSatisfy { tokenizer.vocabulary.contains($0) })
            }
        }
    }

    /// A megabyte of what is hard for backtracking and merging; quadratic time would take hours.
    @Test(.timeLimit(.minutes(3)), arguments: PreTokenizer.all.map { $0.names[0] })
    func `splits long runs in linear time`(name: String) throws {
        let splitter = WordSplitter(try #require(PreTokenizer.named(name)))
        var scratch = WordSplitter.Scratch()
        for unit in ["a", "A", " ", "\n", "7", "'", "漢", "  x", " \n", "\u{301}", "a ", "!"] {
            let text = Array(repeatElement(Array(unit.utf8), count: 300_000).joined()) + [0x78]
            splitter.split(text.span, &scratch)
            #expect(scratch.ends.last == text.count)
        }
    }

    @Test(.timeLimit(.minutes(3)), arguments: ["gpt-2", "llama-bpe", "gemma-4", "llama-spm", "bert-bge"])
    func `encodes a megabyte of anything`(name: String) throws {
        guard let metadata = try Vectors.metadata(name) else { return }
        let tokenizer = try Tokenizer(metadata)
        var random = RandomText.Generator(state: 5)
        let noise = (0..<1_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for text in [[UInt8](repeating: 0x61, count: 1_000_000), [UInt8](repeating: 0x20, count: 1_000_000), noise] {
            let ids = tokenizer.encode(text, addSpecial: false, parseSpecial: true)
            if name != "bert-bge" { #expect(tokenizer.decodeBytes(ids, skipSpecial: false) == text) }
        }
    }
}
