import Engine
import Testing

@Suite struct StopMatcherTests {
    typealias Emission = StopMatcher.Emission

    /// The earliest end of a stop string, and the earliest start among those that end there.
    static func search(_ text: [UInt8], _ stops: [[UInt8]]) -> Range<Int>? {
        for end in 0...text.count {
            let starts = stops.filter { !$0.isEmpty && text[..<end].reversed().starts(with: $0.reversed()) }
                .map { end - $0.count }
            if let start = starts.min() { return start..<end }
        }
        return nil
    }

    /// Length of the longest end of the text with which a stop string could begin.
    static func open(_ text: [UInt8], _ stops: [[UInt8]]) -> Int {
        (0...text.count).first { start in
            stops.contains { $0.count > text.count - start && $0.starts(with: text[start...]) }
        }.map { text.count - $0 } ?? 0
    }

    @Test(arguments: ["ab", "abc", "aé", "é😀", "a\n\u{301}"])
    func equalsSearchInTheWhole(_ alphabet: String) {
        var random = SplitMix(1)
        let letters = alphabet.unicodeScalars.map(String.init)
        func word(_ lengths: ClosedRange<Int>) -> String {
            (0..<Int.random(in: lengths, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }
                .joined()
        }
        var found = 0
        for _ in 0..<4000 {
            let stops = (0..<Int.random(in: 0...4, using: &random)).map { _ in word(0...6) }
            let pieces = (0..<8).map { _ in word(0...5) }
            let text = Array(pieces.joined().utf8)
            let bytes = stops.map { Array($0.utf8) }
            let match = Self.search(text, bytes)
            found += match == nil ? 0 : 1
            var included = StopMatcher(stops, boundary: .included)
            var excluded = StopMatcher(stops, boundary: .excluded)
            var shown = ""
            var hidden = ""
            var seen: [UInt8] = []
            for piece in pieces {
                shown += included.append(piece).text
                hidden += excluded.append(piece).text
                seen += piece.utf8
                if !excluded.isStopped {
                    #expect(Array(shown.utf8) == seen)
                    #expect(Array(hidden.utf8) == Array(seen.dropLast(Self.open(seen, bytes))))
                }
            }
            shown += included.finish().text
            hidden += excluded.finish().text
            #expect(included.isStopped == (match != nil))
            #expect(excluded.isStopped == (match != nil))
            #expect(Array(shown.utf8) == Array(text[..<(match?.upperBound ?? text.count)]))
            #expect(Array(hidden.utf8) == Array(text[..<(match?.lowerBound ?? text.count)]))
        }
        #expect(found > 500)
        #expect(found < 3900)
    }

    @Test func findsStopInsideAToken() {
        var matcher = StopMatcher(["Pari"], boundary: .included)
        #expect(matcher.append("in ").text == "in ")
        #expect(matcher.append("Paris").text == "Pari")
        #expect(matcher.isStopped)
        #expect(matcher.append(" is") == .nothing)
        #expect(matcher.finish() == .nothing)
    }

    @Test func longestOfThoseThatEndTogether() {
        var matcher = StopMatcher(["b", "aab", "ab"], boundary: .excluded)
        #expect(matcher.append("xaab").text == "x")
    }

    @Test func specialTokensMatchButAreNotVisible() {
        var matcher = StopMatcher(["<|im_end|>", "!<|x|>"], boundary: .included)
        #expect(matcher.append("<s>", isSpecial: true) == Emission(text: "<s>", visible: ""))
        #expect(matcher.append("hi!") == Emission(text: "hi!", visible: "hi!"))
        #expect(matcher.append("<|im_end|>", isSpecial: true) == Emission(text: "<|im_end|>", visible: ""))
        #expect(matcher.isStopped)

        var excluding = StopMatcher(["!<|x|>"], boundary: .excluded)
        #expect(excluding.append("hi!") == Emission(text: "hi", visible: "hi"))
        #expect(excluding.append("<|y|>", isSpecial: true) == Emission(text: "!<|y|>", visible: "!"))
        #expect(excluding.append("!") == .nothing)
        #expect(excluding.append("<|x|>", isSpecial: true) == .nothing)
        #expect(excluding.isStopped)
    }

    @Test func longStopStrings() {
        let stop = String(repeating: "a", count: 100_000) + "b"
        var matcher = StopMatcher([stop], boundary: .excluded)
        #expect(matcher.append(String(repeating: "a", count: 150_000)).text.utf8.count == 50_000)
        #expect(matcher.append("c").text.utf8.count == 100_001)
        #expect(!matcher.isStopped)
    }
}

@Suite struct StopCriteriaTests {
    typealias Emission = StopMatcher.Emission

    @Test func limitWinsOverEndAndStop() {
        for (text, id) in [("x", 7), ("stop", 1)] as [(String, Int32)] {
            var criteria = StopCriteria(
                maxNewTokens: 2, contextRoom: 100, endOfGeneration: [7], stopStrings: ["stop"])
            #expect(criteria.accept(1, text: "a", isSpecial: false).finish == nil)
            #expect(criteria.accept(id, text: text, isSpecial: false).finish == .length)
            #expect(criteria.generated == 2)
        }
    }

    @Test func endWinsOverStop() {
        var criteria = StopCriteria(
            maxNewTokens: nil, contextRoom: 100, endOfGeneration: [7, 8], stopTokens: [9], stopStrings: ["</s>"])
        #expect(criteria.accept(8, text: "</s>", isSpecial: true).finish == .endOfSequence)
        var plain = criteria
        #expect(plain.accept(9, text: "x", isSpecial: false).finish == .endOfSequence)
    }

    @Test func ignoresTheModelsEndButNotTheRequests() {
        var criteria = StopCriteria(
            maxNewTokens: 10, contextRoom: 100, endOfGeneration: [7], ignoreEndOfGeneration: true, stopTokens: [9])
        #expect(criteria.accept(7, text: "</s>", isSpecial: true).finish == nil)
        #expect(criteria.accept(9, text: "x", isSpecial: false).finish == .endOfSequence)
    }

    @Test func contextEnds() {
        for maxNewTokens in [nil, 5, 3] as [Int?] {
            var criteria = StopCriteria(maxNewTokens: maxNewTokens, contextRoom: 3, endOfGeneration: [])
            let finishes = (0..<3).map { _ in criteria.accept(1, text: "a", isSpecial: false).finish }
            #expect(finishes == [nil, nil, .length])
            #expect(criteria.room == 0)
        }
    }

    @Test func heldTextComesWithTheLastToken() {
        func criteria(_ limit: Int) -> StopCriteria {
            StopCriteria(
                maxNewTokens: limit, contextRoom: 100, endOfGeneration: [7], stopStrings: ["stop"], boundary: .excluded)
        }
        var ended = criteria(10)
        #expect(ended.accept(1, text: "a sto", isSpecial: false).emission.text == "a ")
        #expect(ended.accept(2, text: "", isSpecial: false).emission == .nothing)
        let end = ended.accept(7, text: "</s>", isSpecial: true)
        #expect(end.emission == Emission(text: "sto</s>", visible: "sto"))
        #expect(end.finish == .endOfSequence)

        var limited = criteria(1)
        #expect(limited.accept(1, text: "a sto", isSpecial: false).emission.text == "a sto")

        var stopped = criteria(10)
        _ = stopped.accept(1, text: "a sto", isSpecial: false)
        let stop = stopped.accept(2, text: "p it", isSpecial: false)
        #expect(stop == StopCriteria.Outcome(emission: .nothing, finish: .stopSequence))
    }

    @Test func textEndsAtTheStopWhateverEndsTheSequence() {
        var criteria = StopCriteria(maxNewTokens: 1, contextRoom: 9, endOfGeneration: [], stopStrings: ["b"])
        let outcome = criteria.accept(1, text: "abc", isSpecial: false)
        #expect(outcome.emission.text == "ab")
        #expect(outcome.finish == .length)
    }

    @Test func names() {
        #expect(FinishReason.length.rawValue == "length")
        #expect(FinishReason.endOfSequence.rawValue == "eos_token")
        #expect(FinishReason.stopSequence.rawValue == "stop_sequence")
    }
}
