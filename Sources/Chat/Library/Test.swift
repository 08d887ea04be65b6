/// A test: `value is name(…)`.
struct Test: Sendable {
    typealias Body = @Sendable (Interpreter, Value, Bound) throws(ChatError) -> Bool

    let name: Text
    let signature: Signature
    let apply: Body

    init(_ name: Text, _ signature: Signature = .none, _ apply: @escaping Body) {
        self.name = name
        self.signature = signature
        self.apply = apply
    }

    static let all: [Test] = types + states + comparisons

    static let named: [Text: Test] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

extension Test {
    private static let types: [Test] = [
        Test("defined") { _, value, _ in !value.isUndefined },
        Test("undefined") { _, value, _ in value.isUndefined },
        Test("none") { _, value, _ in if case .none = value { true } else { false } },
        Test("boolean") { _, value, _ in if case .bool = value { true } else { false } },
        Test("true") { _, value, _ in if case .bool(true) = value { true } else { false } },
        Test("false") { _, value, _ in if case .bool(false) = value { true } else { false } },
        Test("integer") { _, value, _ in
            switch value {
            case .int, .bigInt: true
            default: false
            }
        },
        Test("float") { _, value, _ in if case .float = value { true } else { false } },
        Test("number") { _, value, _ in
            if case .bigInt = value { true } else { Number(value) != nil }
        },
        Test("string") { _, value, _ in if case .string = value { true } else { false } },
        Test("mapping") { _, value, _ in if case .dict = value { true } else { false } },
        Test("sequence") { _, value, _ in
            switch value {
            case .undefined, .string, .list, .tuple, .dict, .range: true
            default: false
            }
        },
        Test("iterable") { _, value, _ in
            switch value {
            case .undefined, .string, .list, .tuple, .dict, .view, .range, .generator, .loop: true
            case .none, .bool, .int, .bigInt, .float, .namespace, .cycler, .macro, .function: false
            }
        },
        Test("callable") { _, value, _ in
            switch value {
            // An undefined value can be called as far as Python knows: it is the call that fails.
            case .undefined, .macro, .function, .loop: true
            default: false
            }
        },
        Test("escaped") { _, value, _ in
            if case .string(let text) = value { text.isMarkup } else { false }
        },
    ]

    private static let states: [Test] = [
        Test("odd") { (interpreter, value, _) throws(ChatError) in try remainder(value, .int(2), interpreter) == 1 },
        Test("even") { (interpreter, value, _) throws(ChatError) in try remainder(value, .int(2), interpreter) == 0 },
        Test("divisibleby", .parameters("num", required: 1)) { (interpreter, value, arguments) throws(ChatError) in
            try remainder(value, try arguments.value(0), interpreter) == 0
        },
        Test("lower") { _, value, _ in value.text.isLowercase },
        Test("upper") { _, value, _ in value.text.isUppercase },
        Test("filter") { (_, value, _) throws(ChatError) in
            guard case .string(let name) = try DictKey(value) else { return false }
            return Filter.named[name] != nil
        },
        Test("test") { (_, value, _) throws(ChatError) in
            guard case .string(let name) = try DictKey(value) else { return false }
            return Test.named[name] != nil
        },
        Test("sameas", .parameters("other", required: 1)) { (_, value, arguments) throws(ChatError) in
            Value.isSame(value, try arguments.value(0))
        },
        Test("in", .parameters("seq", required: 1)) { (interpreter, value, arguments) throws(ChatError) in
            try Value.contains(try arguments.value(0), value, interpreter)
        },
    ]

    private static let comparisons: [Test] = [
        comparison("eq", .equal), comparison("==", .equal), comparison("equalto", .equal),
        comparison("ne", .notEqual), comparison("!=", .notEqual),
        comparison("gt", .greater), comparison(">", .greater), comparison("greaterthan", .greater),
        comparison("ge", .greaterOrEqual), comparison(">=", .greaterOrEqual),
        comparison("lt", .less), comparison("<", .less), comparison("lessthan", .less),
        comparison("le", .lessOrEqual), comparison("<=", .lessOrEqual),
    ]

    private static func comparison(_ name: Text, _ comparison: Comparison) -> Test {
        Test(name, .positional("b", required: 1)) { (interpreter, value, arguments) throws(ChatError) in
            try comparison.holds(value, try arguments.value(0), interpreter)
        }
    }

    /// `value % divisor`, which for a string is formatting: then no number comes out.
    private static func remainder(
        _ value: Value, _ divisor: Value, _ interpreter: Interpreter
    ) throws(ChatError) -> Double? {
        Number(try Arithmetic.apply(.modulo, value, divisor, interpreter))?.double
    }
}
