/// A pattern compiled against character classes: what `PatternMatcher` executes.
struct PatternProgram: Sendable {
    struct Instruction: Sendable {
        enum Operation: UInt8, Sendable {
            /// One character of `mask`.
            case one
            /// As many characters of `mask` as there are, `least` to `most`; never gives any back.
            case run
            /// The same, but gives characters back while what follows fails.
            case runBacktracking
            /// Goes on with the next instruction, and with `target` if that fails.
            case split
            case jump
            /// The instructions up to their `accept` must match here (or must not); goes on at `target`.
            case lookahead, negativeLookahead
            case end
            case wordBoundary
            case accept
        }

        var operation: Operation
        var mask: UInt64 = 0
        var least = 0
        var most = Int.max
        var target = 0
    }

    private(set) var instructions: [Instruction] = []
    /// Where each alternative starts.
    private(set) var entries: [Int] = []
    /// Per class of the first character, which alternatives can match: one bit each.
    private(set) var candidates: [UInt64]
    /// Classes with which a match can begin.
    private(set) var first: UInt64 = 0

    init(_ pattern: Pattern, _ classes: CharacterClasses) {
        candidates = [UInt64](repeating: 0, count: 64)
        precondition(pattern.alternatives.count <= 64)
        for (index, alternative) in pattern.alternatives.enumerated() {
            entries.append(instructions.count)
            emit(alternative, before: .nothing, classes)
            instructions.append(Instruction(operation: .accept))
            let start = Follow(of: alternative, before: .nothing, classes)
            precondition(!start.canBeEmpty || start.isConditional, "an alternative matches nothing")
            let mask = start.canBeEmpty ? ~0 : start.mask
            for number in 0..<CharacterClasses.limit where mask >> UInt64(number) & 1 == 1 {
                candidates[number] |= 1 << UInt64(index)
            }
            first |= mask
        }
    }

    /// How the rest of a pattern can go on: what decides whether a greedy run ever has to give characters back.
    private struct Follow {
        /// Classes of the next character.
        var mask: UInt64
        /// Whether the rest can match without any character.
        var canBeEmpty: Bool
        /// Whether the rest can fail although it can be empty: it begins with an assertion.
        var isConditional: Bool

        static let nothing = Follow(mask: 0, canBeEmpty: true, isConditional: false)

        init(mask: UInt64, canBeEmpty: Bool, isConditional: Bool) {
            self.mask = mask
            self.canBeEmpty = canBeEmpty
            self.isConditional = isConditional
        }

        /// The start of `pattern` followed by `rest`.
        init(of pattern: Pattern, before rest: Follow, _ classes: CharacterClasses) {
            switch pattern {
            case .set(let set): self.init(mask: classes.mask(set), canBeEmpty: false, isConditional: false)
            case .sequence(let parts):
                self = parts.reversed().reduce(rest) { Follow(of: $1, before: $0, classes) }
            case .alternation(let alternatives):
                let starts = alternatives.map { Follow(of: $0, before: rest, classes) }
                self.init(
                    mask: starts.reduce(0) { $0 | $1.mask }, canBeEmpty: starts.contains { $0.canBeEmpty },
                    isConditional: !starts.contains { $0.canBeEmpty && !$0.isConditional })
            case .repeated(let part, let least, _):
                let once = Follow(of: part, before: rest, classes)
                if least > 0 {
                    self = once
                } else {
                    self.init(
                        mask: once.mask | rest.mask, canBeEmpty: rest.canBeEmpty, isConditional: rest.isConditional)
                }
            case .lookahead, .end, .wordBoundary:
                self.init(mask: rest.mask, canBeEmpty: rest.canBeEmpty, isConditional: true)
            }
            if case .repeated(_, least: 0, _) = pattern { return }
            if rest.isConditional, canBeEmpty { isConditional = true }
        }

        /// Whether the rest matches whatever follows.
        var cannotFail: Bool { canBeEmpty && !isConditional }
    }

    private mutating func emit(_ pattern: Pattern, before rest: Follow, _ classes: CharacterClasses) {
        switch pattern {
        case .set(let set):
            instructions.append(Instruction(operation: .one, mask: classes.mask(set)))
        case .sequence(let parts):
            for (index, part) in parts.enumerated() {
                let follow = parts[(index + 1)...].reversed().reduce(rest) { Follow(of: $1, before: $0, classes) }
                emit(part, before: follow, classes)
            }
        case .alternation(let alternatives):
            var jumps: [Int] = []
            for (index, alternative) in alternatives.enumerated() {
                let split = instructions.count
                let isLast = index == alternatives.count - 1
                if !isLast { instructions.append(Instruction(operation: .split)) }
                emit(alternative, before: rest, classes)
                if !isLast {
                    jumps.append(instructions.count)
                    instructions.append(Instruction(operation: .jump))
                    instructions[split].target = instructions.count
                }
            }
            for jump in jumps { instructions[jump].target = instructions.count }
        case .repeated(.set(let set), let least, let most):
            let mask = classes.mask(set)
            let givesBack =
                most != least && !rest.cannotFail && (rest.canBeEmpty || rest.isConditional || rest.mask & mask != 0)
            instructions.append(
                Instruction(
                    operation: givesBack ? .runBacktracking : .run, mask: mask, least: least, most: most ?? .max))
        case .repeated(let part, let least, let most):
            emitGroup(part, least: least, most: most, before: rest, classes)
        case .lookahead(let part, let negative):
            let start = instructions.count
            instructions.append(Instruction(operation: negative ? .negativeLookahead : .lookahead))
            emit(part, before: .nothing, classes)
            instructions.append(Instruction(operation: .accept))
            instructions[start].target = instructions.count
        case .end: instructions.append(Instruction(operation: .end))
        case .wordBoundary: instructions.append(Instruction(operation: .wordBoundary, mask: classes.mask(.word)))
        }
    }

    /// Repeats what is not a single set: copies for the counted part, a loop for the rest.
    private mutating func emitGroup(
        _ part: Pattern, least: Int, most: Int?, before rest: Follow, _ classes: CharacterClasses
    ) {
        let once = Follow(of: part, before: rest, classes)
        precondition(!Follow(of: part, before: .nothing, classes).canBeEmpty, "a repeated group matches nothing")
        let more = Follow(
            mask: once.mask | rest.mask, canBeEmpty: rest.canBeEmpty, isConditional: rest.isConditional)
        for _ in 0..<least { emit(part, before: more, classes) }
        guard let most else {
            let split = instructions.count
            instructions.append(Instruction(operation: .split))
            emit(part, before: more, classes)
            instructions.append(Instruction(operation: .jump, target: split))
            instructions[split].target = instructions.count
            return
        }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(instructions.count)
            instructions.append(Instruction(operation: .split))
            emit(part, before: more, classes)
        }
        for split in splits { instructions[split].target = instructions.count }
    }
}
