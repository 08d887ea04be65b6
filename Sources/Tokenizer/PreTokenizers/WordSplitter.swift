/// The steps of a `PreTokenizer`, compiled: cuts text into the words that merging never crosses.
package struct WordSplitter: Sendable {
    private enum CompiledStep: Sendable {
        case pattern(PatternProgram)
        case digitGroups(digits: UInt64, word: UInt64?)
        case digitGroupStarts(digits: UInt64)
    }

    private let classes: CharacterClasses
    private let steps: [CompiledStep]

    /// Buffers that live as long as one encoding.
    package struct Scratch {
        fileprivate var classes: [UInt8] = []
        fileprivate var previous: [Int] = []
        fileprivate var matcher = PatternMatcher()

        /// Byte offsets at which the words of the last text end, ascending.
        package fileprivate(set) var ends: [Int] = []

        package init() {}
    }

    package init(_ preTokenizer: PreTokenizer) { self.init(preTokenizer.steps) }

    package init(_ steps: [PreTokenizer.Step]) {
        var sets: Set<ScalarSet> = []
        for step in steps {
            switch step {
            case .pattern(let text): sets.formUnion(Pattern(text).sets)
            case .digitGroups(let text, _): sets.formUnion(Pattern(text).sets.union([.word]))
            case .digitGroupStarts(let text): sets.formUnion(Pattern(text).sets)
            }
        }
        let classes = CharacterClasses(sets)
        func mask(_ text: String) -> UInt64 { classes.mask(Pattern(text).sets.first!) }
        self.steps = steps.map { step in
            switch step {
            case .pattern(let text): .pattern(PatternProgram(Pattern(text), classes))
            case .digitGroups(let text, let atWordEnd):
                .digitGroups(digits: mask(text), word: atWordEnd ? classes.mask(.word) : nil)
            case .digitGroupStarts(let text): .digitGroupStarts(digits: mask(text))
            }
        }
        self.classes = classes
    }

    /// Leaves the ends of the words of `text` in `scratch.ends`.
    package func split(_ text: Span<UInt8>, _ scratch: inout Scratch) {
        scratch.ends.removeAll(keepingCapacity: true)
        guard !text.isEmpty else { return }
        classes.classify(text, into: &scratch.classes)
        scratch.ends.append(text.count)
        for step in steps {
            swap(&scratch.ends, &scratch.previous)
            scratch.ends.removeAll(keepingCapacity: true)
            var start = 0
            switch step {
            case .pattern(let program):
                for end in scratch.previous {
                    scratch.matcher.split(program, &scratch.classes, start..<end, into: &scratch.ends)
                    start = end
                }
            case .digitGroups(let digits, let word):
                for end in scratch.previous {
                    groupDigits(scratch.classes, start..<end, digits, word, into: &scratch.ends)
                    start = end
                }
            case .digitGroupStarts(let digits):
                for end in scratch.previous {
                    startDigitGroups(scratch.classes, start..<end, digits, into: &scratch.ends)
                    start = end
                }
            }
        }
    }

    private func groupDigits(
        _ classes: [UInt8], _ range: Range<Int>, _ digits: UInt64, _ word: UInt64?, into ends: inout [Int]
    ) {
        var emitted = range.lowerBound
        forEachRun(classes, range, digits) { run, count in
            if let word, run.upperBound < range.upperBound, word &>> UInt64(classes[run.upperBound]) & 1 != 0 { return }
            if run.lowerBound > emitted { ends.append(run.lowerBound) }
            var left = count
            var position = run.lowerBound
            while left > 0 {
                for _ in 0..<(left % 3 == 0 ? 3 : left % 3) { position = next(position, classes) }
                left -= left % 3 == 0 ? 3 : left % 3
                ends.append(position)
            }
            emitted = run.upperBound
        }
        if emitted < range.upperBound { ends.append(range.upperBound) }
    }

    private func startDigitGroups(
        _ classes: [UInt8], _ range: Range<Int>, _ digits: UInt64, into ends: inout [Int]
    ) {
        forEachRun(classes, range, digits) { run, count in
            var left = count
            var position = run.lowerBound
            while left > 0 {
                if left % 3 == 0, position > range.lowerBound { ends.append(position) }
                position = next(position, classes)
                left -= 1
            }
        }
        ends.append(range.upperBound)
    }

    /// Calls `body` with each run of characters of `mask` and how many there are.
    private func forEachRun(
        _ classes: [UInt8], _ range: Range<Int>, _ mask: UInt64, _ body: (Range<Int>, Int) -> Void
    ) {
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            var count = 0
            while position < range.upperBound, mask &>> UInt64(classes[position]) & 1 != 0 {
                position = next(position, classes)
                count += 1
            }
            if count > 0 { body(start..<position, count) } else { position = next(position, classes) }
        }
    }

    private func next(_ position: Int, _ classes: [UInt8]) -> Int {
        var position = position + 1
        while classes[position] == CharacterClasses.continuation { position += 1 }
        return position
    }
}
