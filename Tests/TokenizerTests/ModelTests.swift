import GGUF
import Models
import TestSupport
import Testing

import Tokenizer

struct BytePairTests {
    /// Merges of random pairs over a small alphabet, against the textbook loop.
    @Test(arguments: 0..<20)
    func `merges as the textbook says`(seed: UInt64) throws {
        var random = RandomText.Generator(state: seed)
        var tokens = ["a", "b", "c"]
        var merges: [(String, String)] = []
        while merges.count < 40 {
            let pair = (tokens.randomElement(using: &random)!, tokens.randomElement(using: &random)!)
            if tokens.contains(pair.0 + pair.1) || (pair.0 + pair.1).count > 12 { continue }
            merges.append(pair)
            tokens.append(pair.0 + pair.1)
        }
        let tokenizer = try Tokenizer(Synthetic.bytePair(merges: merges))
        for length in [1, 2, 5, 20, 24, 25, 60, 400] {
            let word = (0..<length).map { _ in ["a", "b", "c"].randomElement(using: &random)! }
            let ids = tokenizer.encode(word.joined(), addSpecial: false, parseSpecial: false)
            #expect(ids.map { tokenizer.vocabulary.text($0) } == textbook(word, merges))
        }
    }

    private func textbook(_ word: [String], _ merges: [(String, String)]) -> [String] {
        var word = word
        while true {
            let pairs = zip(word, word.dropFirst()).map { pair in merges.firstIndex { $0 == pair } ?? .max }
            guard let best = pairs.min(), best < .max, let index = pairs.firstIndex(of: best) else { return word }
            word.replaceSubrange(index...(index + 1), with: [word[index] + word[index + 1]])
        }
    }

    @Test func `a word that is a token needs no merges where the pre-tokenizer says so`() throws {
        let merges = [("a", "b"), ("b", "c"), ("ab", "c")]
        var metadata = Synthetic.bytePair(merges: merges)
        #expect(try ids(metadata, "bcd") == ["bc", "d"])
        // "abcd" cannot be reached: "bc" needs to come before "ab".
        metadata = Synthetic.bytePair(merges: [("b", "c"), ("a", "b"), ("ab", "c")])
        #expect(try ids(metadata, "abc") == ["a", "bc"])
        metadata["tokenizer.ggml.pre"] = .string("llama-bpe")
        #expect(try ids(metadata, "abc") == ["abc"])
    }

    @Test func `keeps every byte`() throws {
        let tokenizer = try Tokenizer(Synthetic.bytePair(merges: [("Ġ", "a"), ("Ã", "©")]))
        var random = RandomText.Generator(state: 7)
        for length in 0..<300 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let ids = tokenizer.encode(bytes, addSpecial: false, parseSpecial: true)
            #expect(tokenizer.decodeBytes(ids, skipSpecial: false) == bytes)
        }
    }

    private func ids(_ metadata: Metadata, _ text: String) throws -> [String] {
        let tokenizer = try Tokenizer(metadata)
        return tokenizer.encode(text, addSpecial: false, parseSpecial: false).map { tokenizer.vocabulary.text($0) }
    }
}

struct SentencePieceTests {
    /// Scores of random pieces, against the textbook loop on the whole text: cutting at borders changes nothing.
    @Test(arguments: 0..<20)
    func `merges as the textbook says`(seed: UInt64) throws {
        var random = RandomText.Generator(state: seed)
        let alphabet = ["a", "b", "é", "▁"]
        var pieces = alphabet.map { ($0, Float(-100)) }
        for _ in 0..<60 {
            let piece = pieces.randomElement(using: &random)!.0 + pieces.randomElement(using: &random)!.0
            if piece.count > 8 || pieces.contains(where: { $0.0 == piece }) { continue }
            pieces.append((piece, -Float(Int.random(in: 1...30, using: &random))))
        }
        let tokenizer = try Tokenizer(Synthetic.sentencePiece(pieces))
        for length in [1, 3, 10, 40, 300] {
            let text = (0..<length).map { _ in alphabet.randomElement(using: &random)! }
            let input = text.map { $0 == "▁" ? " " : $0 }.joined()
            let ids = tokenizer.encode(input, addSpecial: false, parseSpecial: false)
            #expect(ids.map { tokenizer.vocabulary.text($0) } == textbook(["▁"] + text, pieces))
            #expect(tokenizer.decode(ids, skipSpecial: true) == input)
        }
    }

    private func textbook(_ symbols: [String], _ pieces: [(String, Float)]) -> [String] {
        var symbols = symbols
        let scores = Dictionary(uniqueKeysWithValues: pieces)
        while true {
            let pairs = zip(symbols, symbols.dropFirst()).map { scores[$0 + $1] ?? -.infinity }
            guard let best = pairs.max(), best > -.infinity, let index = pairs.firstIndex(of: best) else {
                return symbols
            }
            symbols.replaceSubrange(index...(index + 1), with: [symbols[index] + symbols[index + 1]])
        }
    }

    @Test func `spells what is no token in bytes`() throws {
        let tokenizer = try Tokenizer(Synthetic.sentencePiece([("▁", -1), ("a", -2)]))
        let ids = tokenizer.encode("aé\n", addSpecial: true, parseSpecial: false)
        let expected: [TokenID] = [1, 259, 260, 198, 172, 13]
        #expect(ids == expected)
        #expect(tokenizer.decode(ids, skipSpecial: true) == "aé\n")
    }

    @Test func `prefixes a space only where a text begins`() throws {
        var metadata = Synthetic.sentencePiece([("▁", -1), ("a", -2), ("▁a", -1)])
        var tokenizer = try Tokenizer(metadata)
        #expect(tokenizer.encode("a</s>a", addSpecial: false, parseSpecial: true) == [261, 2, 261])
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(false)
        tokenizer = try Tokenizer(metadata)
        #expect(tokenizer.encode("a a", addSpecial: false, parseSpecial: true) == [260, 261])
    }
}

struct UnigramTests {
    @Test(arguments: 0..<10)
    func `finds the best of all segmentations`(seed: UInt64) throws {
        var random = RandomText.Generator(state: seed)
        let alphabet = ["a", "b", "c"]
        var pieces: [(String, Float)] = alphabet.map { ($0, -Float.random(in: 3...6, using: &random)) }
        for _ in 0..<20 {
            let piece = (0..<Int.random(in: 2...4, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
                .joined()
            if !pieces.contains(where: { $0.0 == piece }) {
                pieces.append((piece, -Float.random(in: 3...9, using: &random)))
            }
        }
        let tokenizer = try Tokenizer(Synthetic.sentencePiece(pieces, model: "t5"))
        let scores = Dictionary(uniqueKeysWithValues: pieces)
        for length in 1...10 {
            let text = (0..<length).map { _ in alphabet.randomElement(using: &random)! }.joined()
            let found = tokenizer.encode(text, addSpecial: false, parseSpecial: false).map {
                tokenizer.vocabulary.text($0)
            }
            #expect(found.joined() == text)
            let score = found.reduce(0) { $0 + Double(scores[$1]!) }
            #expect(abs(score - best(text[...], scores)) < 1e-4)
        }
    }

    private func best(_ text: Substring, _ scores: [String: Float]) -> Double {
        if text.isEmpty { return 0 }
        return (1...text.count).compactMap { length in
            scores[String(text.prefix(length))].map { Double($0) + best(text.dropFirst(length), scores) }
        }.max() ?? -.infinity
    }

    @Test func `unknown characters are one token`() throws {
        let tokenizer = try Tokenizer(Synthetic.sentencePiece([("a", -1)], model: "t5"))
        #expect(tokenizer.encode("axyza", addSpecial: true, parseSpecial: false) == [259, 0, 259, 2])
    }

    @Test func `normalizes by the character map and merges spaces`() throws {
        var metadata = Synthetic.sentencePiece([("▁", -1), ("b", -1)], model: "t5")
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(true)
        metadata["tokenizer.ggml.remove_extra_whitespaces"] = .bool(true)
        // One entry: "A" becomes "b". The root's base leads to unit 'A' ^ base, a leaf whose base leads to the value.
        var units = [UInt32](repeating: 0, count: 256)
        units[0] = 128 << 10
        let leaf = 128 ^ 0x41
        units[leaf] = 0x41 | 1 << 8 | 2 << 10
        units[leaf ^ 2] = 0 | 1 << 31
        let size = UInt32(units.count * 4)
        let bytes = ([size] + units).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        metadata["tokenizer.ggml.precompiled_charsmap"] = .array(.uint8(bytes + [0x62, 0]))
        let tokenizer = try Tokenizer(metadata)
        #expect(tokenizer.encode("  A   b ", addSpecial: false, parseSpecial: false) == [259, 260, 259, 260])
    }
}

struct WordPieceTests {
    @Test func `folds and splits as BERT does`() throws {
        guard let metadata = try Vectors.metadata("bert-bge") else { return }
        let tokenizer = try Tokenizer(metadata)
        func pieces(_ text: String) -> [String] {
            tokenizer.encode(text, addSpecial: false, parseSpecial: false).map { tokenizer.vocabulary.text($0) }
        }
        #expect(pieces("ÀÉ naïve") == ["▁ae", "▁naive"])
        #expect(pieces("a\u{0}b\u{200B}c\u{AD}") == ["▁abc"])
        // 字 is not in this vocabulary.
        #expect(pieces("漢字") == ["▁漢", "[UNK]"])
        #expect(pieces("x漢y") == ["▁x", "▁漢", "▁y"])
        #expect(pieces("한") == ["▁ᄒ", "ᅡ", "ᆫ"])
        #expect(pieces("x^2~$") == ["▁x", "▁^", "▁2", "▁~", "▁$"])
        #expect(pieces("\u{E000}x😀y") == ["[UNK]"])
        #expect(tokenizer.encode("hi", addSpecial: true, parseSpecial: false).first == 101)
        #expect(tokenizer.encode("hi", addSpecial: true, parseSpecial: false).last == 102)
    }
}
