/// A regular expression of the subset that published pre-tokenizers use.
indirect enum Pattern: Hashable, Sendable {
    case set(ScalarSet)
    case sequence([Pattern])
    case alternation([Pattern])
    /// Greedy; `most` is nil for no limit.
    case repeated(Pattern, least: Int, most: Int?)
    case lookahead(Pattern, negative: Bool)
    case end
    case wordBoundary

    /// The alternatives at the top.
    var alternatives: [Pattern] {
        if case .alternation(let alternatives) = self { alternatives } else { [self] }
    }

    var sets: Set<ScalarSet> {
        switch self {
        case .set(let set): [set]
        case .sequence(let parts), .alternation(let parts): parts.reduce(into: []) { $0.formUnion($1.sets) }
        case .repeated(let part, _, _), .lookahead(let part, _): part.sets
        case .end: []
        case .wordBoundary: [.word]
        }
    }
}

// Parsing. The patterns are part of the program, so a mistake in one traps when a test first builds it.
extension Pattern {
    init(_ text: String) {
        var parser = PatternParser(text)
        self = parser.alternation(ignoringCase: false)
        precondition(parser.isAtEnd, "unbalanced group in pattern \(text)")
    }
}

/// Recursive descent over `alternation := sequence ('|' sequence)*`, `sequence := (atom quantifier?)*`.
private struct PatternParser {
    private let text: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    var isAtEnd: Bool { position == text.count }

    mutating func alternation(ignoringCase: Bool) -> Pattern {
        var alternatives = [sequence(ignoringCase: ignoringCase)]
        while take("|") { alternatives.append(sequence(ignoringCase: ignoringCase)) }
        return alternatives.count == 1 ? alternatives[0] : .alternation(alternatives)
    }

    private mutating func sequence(ignoringCase: Bool) -> Pattern {
        var parts: [Pattern] = []
        while position < text.count, text[position] != "|", text[position] != ")" {
            parts.append(quantified(atom(ignoringCase: ignoringCase)))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func quantified(_ atom: Pattern) -> Pattern {
        if take("?") { return .repeated(atom, least: 0, most: 1) }
        if take("*") { return .repeated(atom, least: 0, most: nil) }
        if take("+") { return .repeated(atom, least: 1, most: nil) }
        guard take("{") else { return atom }
        let least = number()
        let most = take(",") ? number() : least
        expect("}")
        return .repeated(atom, least: least, most: most)
    }

    private mutating func atom(ignoringCase: Bool) -> Pattern {
        let scalar = next()
        switch scalar {
        case "(":
            let group: Pattern
            if take("?=") {
                group = .lookahead(alternation(ignoringCase: ignoringCase), negative: false)
            } else if take("?!") {
                group = .lookahead(alternation(ignoringCase: ignoringCase), negative: true)
            } else if take("?i:") {
                group = alternation(ignoringCase: true)
            } else {
                _ = take("?:")
                group = alternation(ignoringCase: ignoringCase)
            }
            expect(")")
            return group
        case "[": return .set(ignoringCase ? bracket().ignoringCase : bracket())
        case "$": return .end
        case "\\" where take("b"): return .wordBoundary
        case "\\": return .set(escape())
        default: return .set(ignoringCase ? ScalarSet.scalar(scalar.value).ignoringCase : .scalar(scalar.value))
        }
    }

    /// The inside of `[...]` after the opening bracket, with `&&` for intersection.
    private mutating func bracket() -> ScalarSet {
        let isInverse = take("^")
        var items: [ScalarSet] = []
        var result: ScalarSet?
        while !take("]") {
            if take("&&") {
                expect("[")
                result = .intersection(.union(items), bracket())
                continue
            }
            let item = take("\\") ? escape() : .scalar(next().value)
            if case .range(let low) = item, position + 1 < text.count, text[position] == "-", text[position + 1] != "]"
            {
                position += 1
                guard case .range(let high) = take("\\") ? escape() : .scalar(next().value) else {
                    preconditionFailure("a range ends with a set")
                }
                items.append(.range(low.lowerBound...high.lowerBound))
            } else {
                items.append(item)
            }
        }
        let set = result ?? (items.count == 1 ? items[0] : .union(items))
        return isInverse ? .inverse(set) : set
    }

    /// After a backslash.
    private mutating func escape() -> ScalarSet {
        let scalar = next()
        switch scalar {
        case "r": return .scalar(0x0D)
        case "n": return .scalar(0x0A)
        case "t": return .scalar(0x09)
        case "s": return .whitespace
        case "S": return .inverse(.whitespace)
        case "d": return .categories(CategorySet(.nd))
        case "p":
            let name = braced()
            if name == "Han" { return .han }
            guard let set = CategorySet(name: name) else { preconditionFailure("unknown property \(name)") }
            return .categories(set)
        case "x": return .scalar(UInt32(braced(), radix: 16)!)
        default: return .scalar(scalar.value)
        }
    }

    private mutating func braced() -> String {
        expect("{")
        var name = ""
        while !take("}") { name.unicodeScalars.append(next()) }
        return name
    }

    private mutating func number() -> Int {
        var value = 0
        while position < text.count, let digit = Character(text[position]).wholeNumberValue {
            value = value * 10 + digit
            position += 1
        }
        return value
    }

    private mutating func next() -> Unicode.Scalar {
        precondition(position < text.count, "pattern ends early")
        position += 1
        return text[position - 1]
    }

    private mutating func take(_ prefix: String) -> Bool {
        guard text[position...].starts(with: prefix.unicodeScalars) else { return false }
        position += prefix.unicodeScalars.count
        return true
    }

    private mutating func expect(_ scalar: String) {
        let found = take(scalar)
        precondition(found, "expected \(scalar) in pattern")
    }
}
