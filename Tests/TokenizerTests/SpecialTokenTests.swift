import GGUF
import Models
import TestSupport
import Testing

import Tokenizer

struct SpecialTokenTests {
    @Test func `control tokens are found only where asked, user-defined ones always`() throws {
        let tokenizer = try Tokenizer(Synthetic.bytePair(special: ["<|a|>"], userDefined: ["<u>"]))
        #expect(tokenizer.encode("x<|a|><u>", addSpecial: false, parseSpecial: true) == [120, 256, 257])
        let text = tokenizer.encode("x<|a|><u>", addSpecial: false, parseSpecial: false)
        #expect(text == [120, 60, 124, 97, 124, 62, 257])
        #expect(tokenizer.decode([120, 256, 257], skipSpecial: true) == "x<u>")
        #expect(tokenizer.decode([120, 256, 257], skipSpecial: false) == "x<|a|><u>")
    }

    @Test func `the longer token claims its text first`() throws {
        let tokenizer = try Tokenizer(Synthetic.bytePair(userDefined: ["ab", "bcd", "  ", "    "]))
        #expect(tokenizer.encode("abcd", addSpecial: false, parseSpecial: false) == [97, 257])
        #expect(tokenizer.encode("       x", addSpecial: false, parseSpecial: false) == [259, 258, 32, 120])
    }

    @Test func `borders follow the metadata`() throws {
        var metadata = Synthetic.bytePair(special: ["<s>", "<e>"])
        metadata["tokenizer.ggml.bos_token_id"] = .uint32(256)
        metadata["tokenizer.ggml.eos_token_id"] = .uint32(257)
        #expect(try Tokenizer(metadata).encode("x", addSpecial: true, parseSpecial: true) == [120])
        metadata["tokenizer.ggml.add_bos_token"] = .bool(true)
        metadata["tokenizer.ggml.add_eos_token"] = .bool(true)
        let tokenizer = try Tokenizer(metadata)
        #expect(tokenizer.encode("x", addSpecial: true, parseSpecial: true) == [256, 120, 257])
        #expect(tokenizer.encode("x", addSpecial: false, parseSpecial: true) == [120])
        let doubled = tokenizer.encode("<s>x<e>", addSpecial: true, parseSpecial: true)
        #expect(doubled == [256, 256, 120, 257, 257])
        #expect(tokenizer.oddities(of: doubled).count == 2)
        #expect(tokenizer.oddities(of: [256, 120, 257]).isEmpty)
        // Llama 3's rule adds one by itself.
        metadata["tokenizer.ggml.add_bos_token"] = nil
        metadata["tokenizer.ggml.pre"] = .string("llama-bpe")
        #expect(try Tokenizer(metadata).firstToken == 256)
    }

    @Test func `white space beside some tokens goes with them`() throws {
        var metadata = Synthetic.bytePair(special: ["<|user|>", "<s>"])
        metadata["general.name"] = .string("Phi-3 mini")
        var tokenizer = try Tokenizer(metadata)
        #expect(
            tokenizer.encode("<|user|> \n x<s> y", addSpecial: false, parseSpecial: true) == [256, 120, 257, 32, 121])
        metadata = Synthetic.bytePair(special: ["<mask>"], pre: "jina-v2-de")
        tokenizer = try Tokenizer(metadata)
        #expect(tokenizer.encode("x \n<mask> y", addSpecial: false, parseSpecial: true) == [120, 256, 32, 121])
    }

    @Test(
        arguments: [
            ("gpt-2", [50256]), ("llama-bpe", [128001, 128009]), ("qwen2", [151643, 151645]), ("falcon", [11]),
            ("deepseek-coder", [32014]), ("gemma-4", [1, 50, 106]), ("llama-spm", [2]), ("phi-3", [2, 32000, 32007]),
            ("stories512", [2]),
        ] as [(String, Set<TokenID>)])
    func `answers of real models end`(name: String, ends: Set<TokenID>) throws {
        guard let metadata = try Vectors.metadata(name) else { return }
        #expect(try Tokenizer(metadata).endOfGeneration == ends)
    }

    @Test func `marks of an end are control tokens whatever the file says`() throws {
        let tokenizer = try Tokenizer(Synthetic.bytePair(userDefined: ["<|im_end|>"]))
        #expect(tokenizer.endOfGeneration == [256])
        #expect(tokenizer.decode([120, 256], skipSpecial: true) == "x")
    }

    @Test func `the metadata names ends too`() throws {
        var metadata = Synthetic.bytePair(special: ["<1>", "<2>", "<3>"])
        metadata["tokenizer.ggml.eos_token_id"] = .uint32(256)
        metadata["tokenizer.ggml.eot_token_id"] = .uint32(257)
        metadata["tokenizer.ggml.eom_token_id"] = .uint32(258)
        #expect(try Tokenizer(metadata).endOfGeneration == [256, 257, 258])
    }

    @Test func `in the harmony format a part's end is not the answer's`() throws {
        let special = ["<|end|>", "<|return|>", "<|call|>", "<|channel|>"]
        let tokenizer = try Tokenizer(Synthetic.bytePair(special: special))
        #expect(tokenizer.endOfGeneration == [257, 258])
        #expect(tokenizer.decode([256, 257, 258, 259], skipSpecial: true) == "<|end|><|channel|>")
    }
}

struct DetokenizerTests {
    @Test(arguments: ["gpt-2", "llama-bpe", "gemma-4", "llama-spm", "stories512"])
    func `is complete at every step and loses nothing`(name: String) throws {
        guard let metadata = try Vectors.metadata(name) else { return }
        let tokenizer = try Tokenizer(metadata)
        for seed in 0..<200 {
            let text = RandomText(seed: UInt64(seed)).text + "👨‍👩‍👧🏽"
            let ids = tokenizer.encode(text, addSpecial: false, parseSpecial: false)
            var detokenizer = tokenizer.detokenizer(skipSpecial: true, removeLeadingSpace: true)
            var result = ""
            for id in ids {
                let part = detokenizer.append(id)
                #expect(!part.unicodeScalars.contains("\u{FFFD}"))
                result += part
            }
            #expect(detokenizer.finish().isEmpty)
            #expect(result == text)
        }
    }

    /// Any bytes, cut anywhere, give what decoding them at once gives.
    @Test func `repairs like the whole text`() throws {
        let tokenizer = try Tokenizer(Synthetic.bytePair())
        var random = RandomText.Generator(state: 3)
        let lively: [UInt8] = [0x61, 0x80, 0xBF, 0x9F, 0xC2, 0xC0, 0xE0, 0xA0, 0xED, 0xF0, 0x90, 0xF4, 0x8F, 0xFF]
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...9, using: &random)).map { _ in lively.randomElement(using: &random)! }
            var detokenizer = tokenizer.detokenizer(skipSpecial: true)
            let parts = bytes.map { detokenizer.append(TokenID($0)) } + [detokenizer.finish()]
            #expect(parts.joined() == String(decoding: bytes, as: UTF8.self), "\(bytes)")
        }
    }

    @Test func `ignores what is not in the vocabulary`() throws {
        var detokenizer = try Tokenizer(Synthetic.bytePair()).detokenizer(skipSpecial: false)
        for id in [-1, 256, TokenID.max] { #expect(detokenizer.append(id).isEmpty) }
    }

    @Test func `cleans spaces up where asked`() throws {
        let tokenizer = try Tokenizer(Synthetic.bytePair())
        func clean(_ text: String) -> String {
            tokenizer.decode(text.utf8.map { TokenID($0) }, skipSpecial: true, cleanUp: true)
        }
        // What `clean_up_tokenization` of Hugging Face's transformers gives.
        #expect(clean("Hi , it 's we 're ' ok ' . No !") == "Hi, it's we're'ok '. No!")
        #expect(clean("' ok '") == "' ok '")
        #expect(clean("a ' ' b ' ") == "a'' b'")
        #expect(clean("do n't  n't 'll 'm 've 'x  .") == "don't n't 'll'm've 'x .")
    }
}
