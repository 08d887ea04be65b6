// Python's equality, order, membership and identity.

extension Value {
    /// `a == b`
    static func isEqual(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.undefined, .undefined), (.none, .none): true
        case (.string(let a), .string(let b)), (.bigInt(let a), .bigInt(let b)): a == b
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            a === b || a.items.count == b.items.count && zip(a.items, b.items).allSatisfy { isEqual($0, $1) }
        case (.dict(let a), .dict(let b)): isEqual(a, b)
        case (.view(let a, let x), .view(let b, let y)): isEqual(a, x, b, y)
        case (.range(let a), .range(let b)):
            a.count == b.count && (a.count == 0 || a.start == b.start && (a.count == 1 || a.step == b.step))
        case (.generator(let a), .generator(let b)): a === b
        case (.namespace(let a), .namespace(let b)): a === b
        case (.cycler(let a), .cycler(let b)): a === b
        case (.loop(let a), .loop(let b)): a === b
        case (.macro(let a), .macro(let b)): a === b
        case (.function(let a), .function(let b)): a === b
        default: Number.order(Number(a), Number(b)) == 0
        }
    }

    private static func isEqual(_ a: DictValue, _ b: DictValue) -> Bool {
        guard a !== b else { return true }
        guard a.count == b.count else { return false }
        return a.entries.allSatisfy { key, value in
            guard let key = try? DictKey(key), let other = b[key] else { return false }
            return isEqual(value, other)
        }
    }

    /// Keys and items are compared as sets; values have no equality of their own.
    private static func isEqual(_ a: DictValue, _ part: DictPart, _ b: DictValue, _ other: DictPart) -> Bool {
        guard part != .values, part == other, a.count == b.count else { return false }
        if part == .items { return isEqual(a, b) }
        return a.keys.allSatisfy { key in (try? DictKey(key)).map { b[$0] != nil } ?? false }
    }

    /// `a is b`. Equal strings and numbers of one type count as one object.
    static func isSame(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)): a === b
        case (.dict(let a), .dict(let b)): a === b
        case (.undefined, _), (_, .undefined), (.view, _), (_, .view): false
        default: a.typeName == b.typeName && isEqual(a, b)
        }
    }

    /// Whether `a` and `b` are in the order that the comparison asks for.
    static func isOrdered(_ a: Value, _ comparison: Comparison, _ b: Value) throws(ChatError) -> Bool {
        if case .undefined(let undefined) = a { throw undefined.error }
        if case .undefined(let undefined) = b { throw undefined.error }
        switch (a, b) {
        case (.string(let a), .string(let b)): return comparison.holds(a < b ? -1 : a == b ? 0 : 1)
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            for (a, b) in zip(a.items, b.items) where !isEqual(a, b) { return try isOrdered(a, comparison, b) }
            return comparison.holds(a.items.count < b.items.count ? -1 : a.items.count == b.items.count ? 0 : 1)
        default:
            guard Number(a) != nil, Number(b) != nil else {
                throw ChatError(
                    .type,
                    "'\(comparison.rawValue)' not supported between instances of '\(a.typeName)' and '\(b.typeName)'")
            }
            return Number.order(Number(a), Number(b)).map { comparison.holds($0) } ?? false
        }
    }

    /// `element in container`
    static func contains(
        _ container: Value, _ element: Value, _ interpreter: Interpreter
    ) throws(ChatError) -> Bool {
        switch container {
        case .string(let text):
            guard case .string(let part) = element else {
                throw ChatError(.type, "'in <string>' requires string as left operand, not \(element.typeName)")
            }
            try interpreter.countReading(container)
            return text.find(part) != nil
        case .dict(let dict), .view(let dict, .keys): return dict[try DictKey(element)] != nil
        case .list(let list), .tuple(let list):
            try interpreter.spend(list.items.count)
            try interpreter.countComparing(container, container)
            return list.items.contains { isEqual($0, element) }
        case .undefined: return false
        default:
            guard let source = try Iteration(container) else {
                throw ChatError(.type, "argument of type '\(container.typeName)' is not iterable")
            }
            var iteration = source
            while let item = try iteration.next() {
                try interpreter.spend(1)
                if isEqual(item, element) { return true }
            }
            return false
        }
    }
}

extension Comparison {
    /// Whether an order (negative, zero or positive) is what the operator asks for.
    fileprivate func holds(_ order: Int) -> Bool {
        switch self {
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        default: order == 0
        }
    }
}

/// What arithmetic works on; `bool` counts as `int`.
enum Number {
    case int(Int)
    case float(Double)

    init?(_ value: Value) {
        switch value {
        case .bool(let value): self = .int(value ? 1 : 0)
        case .int(let value): self = .int(value)
        case .float(let value): self = .float(value)
        default: return nil
        }
    }

    var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        }
    }
}

extension Number {
    /// Integers and floats are compared by their exact values.
    ///
    /// - Returns: negative, zero or positive; `nil` where one is no number.
    fileprivate static func order(_ a: Number?, _ b: Number?) -> Int? {
        guard let a, let b else { return nil }
        switch (a, b) {
        case (.int(let a), .int(let b)): return a < b ? -1 : a == b ? 0 : 1
        case (.float(let a), .float(let b)): return order(a, b)
        case (.int(let a), .float(let b)): return order(a, b)
        case (.float(let a), .int(let b)): return order(b, a).map { -$0 }
        }
    }

    private static func order(_ a: Double, _ b: Double) -> Int? {
        a < b ? -1 : a == b ? 0 : a > b ? 1 : nil
    }

    private static func order(_ a: Int, _ b: Double) -> Int? {
        guard !b.isNaN else { return nil }
        guard let whole = Int(exactly: b.rounded(.down)) else { return b > 0 ? -1 : 1 }
        if a != whole { return a < whole ? -1 : 1 }
        return b == b.rounded(.down) ? 0 : -1
    }
}
