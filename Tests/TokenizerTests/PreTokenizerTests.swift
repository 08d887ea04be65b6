import Foundation
import TestSupport
import Testing

import Tokenizer

struct PreTokenizerTests {
    @Test func `names are listed once`() {
        let names = PreTokenizer.all.flatMap { $0.names }
        #expect(Set(names).count == names.count)
        #expect(names.count >= 90)
    }

    @Test(arguments: PreTokenizer.all.map { $0.names[0] })
    func `pieces cover the text in whole characters`(name: String) throws {
        let splitter = WordSplitter(try #require(PreTokenizer.named(name)))
        var scratch = WordSplitter.Scratch()
        for seed in 0..<300 {
            let text = RandomText(seed: UInt64(seed)).text
            let bytes = Array(text.utf8)
            splitter.split(bytes.span, &scratch)
            #expect(scratch.ends.last ?? 0 == bytes.count)
            #expect(zip(scratch.ends, scratch.ends.dropFirst()).allSatisfy { $0 < $1 })
            #expect(scratch.ends.allSatisfy { $0 == bytes.count || bytes[$0] & 0xC0 != 0x80 })
        }
    }

    @Test func `digits are grouped from the right`() throws {
        #expect(try pieces("superbpe", "12 1234567x123") == ["12", " ", "1", "234", "567", "x", "123"])
        #expect(try pieces("afmoe", "1234567 12345") == ["1", "234", "567", " ", "12", "345"])
        #expect(try pieces("tiny_aya", "1234567 1234x") == ["1", "234", "567", " ", "123", "4", "x"])
    }

    @Test func `families differ as published`() throws {
        let text = "HelloWorld it'S 12345 naïve\n\n  x"
        #expect(try pieces("gpt-2", text) == ["HelloWorld", " it", "'", "S", " 12345", " naïve", "\n\n ", " x"])
        #expect(
            try pieces("llama-bpe", text) == ["HelloWorld", " it", "'S", " ", "123", "45", " naïve", "\n\n", " ", " x"])
        #expect(
            try pieces("qwen2", text) == [
                "HelloWorld", " it", "'S", " ", "1", "2", "3", "4", "5", " naïve", "\n\n", " ", " x",
            ])
        #expect(
            try pieces("gpt-4o", text) == ["Hello", "World", " it'S", " ", "123", "45", " naïve", "\n\n", " ", " x"])
        #expect(try pieces("kimi-k2", "漢字かな") == ["漢字", "かな"])
        #expect(try pieces("bailingmoe", "it'S") == ["it", "'S"])
    }

    @Test func `Latin-1 and cut-off UTF-8 are single characters`() throws {
        let splitter = WordSplitter(try #require(PreTokenizer.named("gpt-2")))
        var scratch = WordSplitter.Scratch()
        splitter.split([0x61, 0xE9, 0x62, 0xF0, 0x9F].span, &scratch)
        #expect(scratch.ends == [1, 2, 3, 5])
    }

    /// The rules again, by the `regex` package of Python.
    @Test func `agrees with Python`() throws {
        let texts = (0..<400).map { RandomText(seed: 1000 + UInt64($0)).text }
        let request: [String: Any] = [
            "patterns": PreTokenizer.all.map { tokenizer in tokenizer.steps.map { pattern($0) } }, "texts": texts,
        ]
        let input = try JSONSerialization.data(withJSONObject: request)
        guard let answer = try Python.run(["-c", Self.script], input: input) else { return }
        let expected = try #require(try JSONSerialization.jsonObject(with: answer) as? [[[Int]]])
        try #require(expected.count == PreTokenizer.all.count)
        for (preTokenizer, expected) in zip(PreTokenizer.all, expected) {
            try #require(expected.count == texts.count)
            let splitter = WordSplitter(preTokenizer)
            var scratch = WordSplitter.Scratch()
            for (text, ends) in zip(texts, expected) {
                splitter.split(Array(text.utf8).span, &scratch)
                #expect(scratch.ends == ends, "\(preTokenizer.names[0]): \(text.debugDescription)")
            }
        }
    }

    /// A step in one pattern, also where ours is a loop.
    private func pattern(_ step: PreTokenizer.Step) -> String {
        switch step {
        case .pattern(let pattern): pattern
        case .digitGroups(let digit, atWordEnd: false): "\(digit){1,3}(?=(?:\(digit){3})*(?!\(digit)))"
        case .digitGroups(let digit, atWordEnd: true): "\(digit){1,3}(?=(?:\(digit){3})*\\b)"
        case .digitGroupStarts(let digit): "(?=(?:\(digit){3})+(?!\(digit)))"
        }
    }

    private static let script = #"""
        import json, re, sys
        import regex

        def compile(pattern):
            pattern = re.sub(r"\\x\{([0-9A-F]+)\}", lambda m: "\\U%08X" % int(m[1], 16), pattern)
            return regex.compile(pattern, regex.V1 if "&&" in pattern else regex.V0)

        def split(steps, text):
            pieces = [text]
            for step in steps:
                found = []
                for piece in pieces:
                    start = 0
                    for match in step.finditer(piece):
                        found += [piece[start:match.start()], match[0]]
                        start = match.end()
                    found.append(piece[start:])
                pieces = [piece for piece in found if piece]
            ends, end = [], 0
            for piece in pieces:
                end += len(piece.encode())
                ends.append(end)
            return ends

        request = json.load(sys.stdin)
        steps = [[compile(pattern) for pattern in patterns] for patterns in request["patterns"]]
        json.dump([[split(s, text) for text in request["texts"]] for s in steps], sys.stdout)
        """#

    private func pieces(_ name: String, _ text: String) throws -> [String] {
        let splitter = WordSplitter(try #require(PreTokenizer.named(name)))
        var scratch = WordSplitter.Scratch()
        let bytes = Array(text.utf8)
        splitter.split(bytes.span, &scratch)
        return zip([0] + scratch.ends, scratch.ends).map { String(decoding: bytes[$0..<$1], as: UTF8.self) }
    }
}

struct PatternTests {
    @Test(arguments: [
        ("a+b", "aaab aab", [0, 4, 5, 8]), (#"\s+$"#, "x  y  ", [4, 6]), (#"\s+(?!\S)"#, "a   b", [1, 3]),
        ("(?:ab){2,3}c?", "ababababc", [0, 6]), ("(?:a|ab)(?:c|bcd)", "abcd", [0, 4]), ("[^a-c]+", "abxyc", [2, 4]),
        (#"\d+\b"#, "12a 34", [4, 6]), (#"(?i:x[yz])"#, "XZ", [0, 2]), ("(?=ab)a", "aab", [1, 2]),
        (#"[\p{L}&&[^\p{Han}]]+"#, "a漢b", [0, 1, 4, 5]),
    ])
    func `matches`(pattern: String, text: String, borders: [Int]) {
        let splitter = WordSplitter([.pattern(pattern)])
        var scratch = WordSplitter.Scratch()
        let bytes = Array(text.utf8)
        splitter.split(bytes.span, &scratch)
        let found: Set<Int> = Set(scratch.ends).union([0])
        let expected: Set<Int> = Set(borders).union([0, bytes.count])
        #expect(found == expected)
    }

    @Test func `categories are those of Unicode`() {
        // What later versions than that of the table have changed. What they have assigned since differs too.
        let changed: Set<UInt32> = [0x295, 0x1171E]
        for scalar in (0..<0x30000).compactMap({ Unicode.Scalar(UInt32($0)) }) where !changed.contains(scalar.value) {
            let ours = GeneralCategory(of: scalar.value)
            if ours != .cn { #expect("\(ours)" == abbreviation(scalar.properties.generalCategory), "\(scalar.value)") }
        }
    }

    private func abbreviation(_ category: Unicode.GeneralCategory) -> String {
        let order: [Unicode.GeneralCategory] = [
            .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber, .connectorPunctuation,
            .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
            .otherPunctuation, .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol, .spaceSeparator,
            .lineSeparator, .paragraphSeparator, .control, .format, .surrogate, .privateUse, .unassigned,
        ]
        return "\(GeneralCategory.allCases[order.firstIndex(of: category)!])"
    }
}
