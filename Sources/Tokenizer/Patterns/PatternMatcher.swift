/// Executes pattern programs on class numbers: backtracking with an explicit stack, so that no input overflows the real one.
struct PatternMatcher {
    private typealias Instructions = Span<PatternProgram.Instruction>

    private struct Choice {
        var instruction: Int
        var position: Int
        /// The shortest end of a run that may still be tried; -1 for a split.
        var shortest: Int
    }

    /// A run that gave back everything in vain. What follows a run does not depend on where it began, so a later run over the
    /// same characters fails without another look: this keeps patterns such as `\s+$` linear.
    private struct DeadRun {
        var start = 0
        var end = -1
    }

    private var stack: [Choice] = []
    /// By instruction.
    private var deadRuns: [DeadRun] = []

    /// Appends to `ends` where each piece of `range` ends: matches, and what lies between them.
    /// - Parameter classes: One class per byte and one more; the one after `range` is overwritten for the time of the call.
    mutating func split(
        _ program: PatternProgram, _ classes: inout [UInt8], _ range: Range<Int>, into ends: inout [Int]
    ) {
        let saved = classes[range.upperBound]
        classes[range.upperBound] = CharacterClasses.end
        search(program, classes.span, range, &ends)
        classes[range.upperBound] = saved
    }

    private mutating func search(
        _ program: PatternProgram, _ classes: Span<UInt8>, _ range: Range<Int>, _ ends: inout [Int]
    ) {
        deadRuns.removeAll(keepingCapacity: true)
        deadRuns.append(contentsOf: repeatElement(DeadRun(), count: program.instructions.count))
        let instructions = program.instructions.span
        var position = range.lowerBound
        var start = position
        while position < range.upperBound {
            var candidates = program.candidates[Int(classes[position])]
            var end = -1
            while candidates != 0 {
                let alternative = candidates.trailingZeroBitCount
                candidates &= candidates &- 1
                end = match(instructions, program.entries[alternative], at: position, classes, range.lowerBound)
                if end >= 0 { break }
            }
            if end > position {
                if position > start { ends.append(position) }
                ends.append(end)
                position = end
                start = end
            } else {
                if end == position, position > start {
                    ends.append(position)
                    start = position
                }
                position = next(position, classes)
            }
        }
        if start < range.upperBound { ends.append(range.upperBound) }
    }

    /// Where the match of the instructions from `entry` ends, or -1.
    private mutating func match(
        _ instructions: Instructions, _ entry: Int, at start: Int, _ classes: Span<UInt8>, _ lower: Int
    ) -> Int {
        let base = stack.count
        var pc = entry
        var position = start
        while true {
            let matches: Bool
            switch instructions[pc].operation {
            case .one:
                matches = instructions[pc].mask &>> UInt64(classes[position]) & 1 != 0
                if matches {
                    position = next(position, classes)
                    pc += 1
                }
            case .run:
                let end = runEnd(instructions[pc], position, classes)
                matches = end >= 0
                if matches {
                    position = end
                    pc += 1
                }
            case .runBacktracking:
                let end = tryRun(instructions[pc], pc, position, classes)
                matches = end >= 0
                if matches {
                    position = end
                    pc += 1
                }
            case .split:
                stack.append(Choice(instruction: instructions[pc].target, position: position, shortest: -1))
                pc += 1
                matches = true
            case .jump:
                pc = instructions[pc].target
                matches = true
            case .lookahead:
                matches = match(instructions, pc + 1, at: position, classes, lower) >= 0
                pc = instructions[pc].target
            case .negativeLookahead:
                matches = match(instructions, pc + 1, at: position, classes, lower) < 0
                pc = instructions[pc].target
            case .end:
                matches = classes[position] == CharacterClasses.end
                pc += 1
            case .wordBoundary:
                let word = instructions[pc].mask
                let before = position > lower && word &>> UInt64(classes[previous(position, classes)]) & 1 != 0
                matches = before != (word &>> UInt64(classes[position]) & 1 != 0)
                pc += 1
            case .accept:
                stack.removeLast(stack.count - base)
                return position
            }
            if matches { continue }
            guard let choice = backtrack(instructions, base, classes) else { return -1 }
            pc = choice.pc
            position = choice.position
        }
    }

    /// Greedy end of a run, or -1 if it is too short.
    @inline(__always)
    private func runEnd(_ run: PatternProgram.Instruction, _ start: Int, _ classes: Span<UInt8>) -> Int {
        var position = start
        if run.most == .max, run.least <= 1 {
            let mask = run.mask | CharacterClasses.continuationMask
            while mask &>> UInt64(classes[position]) & 1 != 0 { position += 1 }
            return position > start || run.least == 0 ? position : -1
        }
        var count = 0
        while count < run.most, run.mask &>> UInt64(classes[position]) & 1 != 0 {
            position = next(position, classes)
            count += 1
        }
        return count >= run.least ? position : -1
    }

    private mutating func tryRun(
        _ run: PatternProgram.Instruction, _ pc: Int, _ start: Int, _ classes: Span<UInt8>
    ) -> Int {
        let dead = deadRuns[pc]
        if run.most == .max, start >= dead.start, start < dead.end { return -1 }
        let end = runEnd(run, start, classes)
        if end < 0 { return -1 }
        var shortest = start
        for _ in 0..<run.least { shortest = next(shortest, classes) }
        if end > shortest { stack.append(Choice(instruction: pc, position: end, shortest: shortest)) }
        return end
    }

    /// The latest choice that is left.
    private mutating func backtrack(
        _ instructions: Instructions, _ base: Int, _ classes: Span<UInt8>
    ) -> (pc: Int, position: Int)? {
        while stack.count > base {
            let last = stack.count - 1
            let choice = stack[last]
            if choice.shortest < 0 {
                stack.removeLast()
                return (choice.instruction, choice.position)
            }
            if choice.position > choice.shortest {
                stack[last].position = previous(choice.position, classes)
                return (choice.instruction + 1, stack[last].position)
            }
            stack.removeLast()
            let run = instructions[choice.instruction]
            guard run.most == .max else { continue }
            // The greedy end is not kept, but every character up to it belongs to the run.
            let mask = run.mask | CharacterClasses.continuationMask
            var end = choice.position
            while mask &>> UInt64(classes[end]) & 1 != 0 { end += 1 }
            deadRuns[choice.instruction] = DeadRun(start: choice.shortest, end: end)
        }
        return nil
    }

    @inline(__always)
    private func next(_ position: Int, _ classes: Span<UInt8>) -> Int {
        var position = position + 1
        while classes[position] == CharacterClasses.continuation { position += 1 }
        return position
    }

    private func previous(_ position: Int, _ classes: Span<UInt8>) -> Int {
        var position = position - 1
        while classes[position] == CharacterClasses.continuation { position -= 1 }
        return position
    }
}
