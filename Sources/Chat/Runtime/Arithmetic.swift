import Glibc

/// Python's arithmetic operators. Integers have 64 bits here: where Python would go on, this is an error.
enum Arithmetic {
    static func apply(_ sign: UnaryOperator, to value: Value) throws(ChatError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        switch (sign, Number(value)) {
        case (.plus, .int(let value)): return .int(value)
        case (.plus, .float(let value)): return .float(value)
        case (.minus, .int(let value)): return .int(try checked(value.multipliedReportingOverflow(by: -1)))
        case (.minus, .float(let value)): return .float(-value)
        case (_, nil):
            throw ChatError(.type, "bad operand type for unary \(sign == .plus ? "+" : "-"): '\(value.typeName)'")
        }
    }

    static func apply(
        _ binary: BinaryOperator, _ a: Value, _ b: Value, _ interpreter: Interpreter
    ) throws(ChatError) -> Value {
        if let a = Number(a), let b = Number(b) { return try apply(binary, a, b) }
        // `str % value` formats, also an undefined value.
        if case .string(let format) = a, binary == .modulo {
            return try interpreter.counted(.string(try PercentFormat.format(format, b, interpreter)))
        }
        if case .undefined(let undefined) = a { throw undefined.error }
        if case .undefined(let undefined) = b { throw undefined.error }
        switch binary {
        case .add: if let sum = try concatenated(a, b, interpreter) { return sum }
        case .multiply: if let product = try repeated(a, b, interpreter) { return product }
        case .subtract, .divide, .floorDivide, .modulo, .power: break
        }
        throw ChatError(
            .type, "unsupported operand type(s) for \(binary.rawValue): '\(a.typeName)' and '\(b.typeName)'")
    }

    // MARK: - Sequences

    private static func concatenated(_ a: Value, _ b: Value, _ interpreter: Interpreter) throws(ChatError) -> Value? {
        switch (a, b) {
        case (.string(let a), .string(let b)):
            try interpreter.reserve(a.bytes.count + b.bytes.count)
            if a.isMarkup || b.isMarkup {
                return .string(Text(bytes: a.escaped.bytes + b.escaped.bytes, isMarkup: true))
            }
            return .string(Text(bytes: a.bytes + b.bytes))
        case (.list(let a), .list(let b)):
            try interpreter.spend((a.items.count + b.items.count) >> 4)
            return try .list(a.items + b.items)
        case (.tuple(let a), .tuple(let b)):
            try interpreter.spend((a.items.count + b.items.count) >> 4)
            return try .tuple(a.items + b.items)
        case (.string, _), (.list, _), (.tuple, _):
            let name = a.typeName == "Markup" ? "str" : a.typeName
            throw ChatError(.type, "can only concatenate \(name) (not \"\(b.typeName)\") to \(name)")
        default: return nil
        }
    }

    private static func repeated(_ a: Value, _ b: Value, _ interpreter: Interpreter) throws(ChatError) -> Value? {
        let (sequence, count): (Value, Value) = Number(a) == nil ? (a, b) : (b, a)
        switch sequence {
        case .string(let text):
            let times = try times(count, sequence)
            try interpreter.reserve(text.bytes.count, times: times)
            return .string(
                Text(bytes: [UInt8](repeating: text.bytes, count: times), isMarkup: text.isMarkup))
        case .list(let list): return try .list(try repeated(list, try times(count, sequence), interpreter))
        case .tuple(let list): return try .tuple(try repeated(list, try times(count, sequence), interpreter))
        default: return nil
        }
    }

    private static func repeated(_ list: ListValue, _ times: Int, _ interpreter: Interpreter) throws(ChatError)
        -> [Value]
    {
        try interpreter.reserve(list.items.count * 16, times: times)
        return [Value](repeating: list.items, count: times)
    }

    private static func times(_ count: Value, _ sequence: Value) throws(ChatError) -> Int {
        guard case .int(let times) = Number(count) else {
            throw ChatError(.type, "can't multiply sequence by non-int of type '\(count.typeName)'")
        }
        return times
    }

    // MARK: - Numbers

    private static func apply(_ binary: BinaryOperator, _ a: Number, _ b: Number) throws(ChatError) -> Value {
        if case .int(let a) = a, case .int(let b) = b { return try apply(binary, a, b) }
        return .float(try apply(binary, a.double, b.double))
    }

    private static func apply(_ binary: BinaryOperator, _ a: Int, _ b: Int) throws(ChatError) -> Value {
        switch binary {
        case .add: return .int(try checked(a.addingReportingOverflow(b)))
        case .subtract: return .int(try checked(a.subtractingReportingOverflow(b)))
        case .multiply: return .int(try checked(a.multipliedReportingOverflow(by: b)))
        case .divide:
            guard b != 0 else { throw ChatError(.zeroDivision, "division by zero") }
            return .float(Double(a) / Double(b))
        case .floorDivide:
            guard b != 0 else { throw ChatError(.zeroDivision, "integer division or modulo by zero") }
            let quotient = try checked(a.dividedReportingOverflow(by: b))
            return .int(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient)
        case .modulo:
            guard b != 0 else { throw ChatError(.zeroDivision, "integer division or modulo by zero") }
            if b == -1 { return .int(0) }
            let remainder = a % b
            return .int(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
        case .power: return try power(a, b)
        }
    }

    private static func power(_ base: Int, _ exponent: Int) throws(ChatError) -> Value {
        guard exponent >= 0 else { return .float(try apply(.power, Double(base), Double(exponent))) }
        if base == 0 || base == 1 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent.isMultiple(of: 2) ? 1 : -1) }
        var result = 1
        for _ in 0..<min(exponent, 64) { result = try checked(result.multipliedReportingOverflow(by: base)) }
        return .int(result)
    }

    private static func apply(_ binary: BinaryOperator, _ a: Double, _ b: Double) throws(ChatError) -> Double {
        switch binary {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .divide:
            guard b != 0 else { throw ChatError(.zeroDivision, "float division by zero") }
            return a / b
        case .floorDivide:
            guard b != 0 else { throw ChatError(.zeroDivision, "float floor division by zero") }
            return ((a - modulo(a, b)) / b).rounded()
        case .modulo:
            guard b != 0 else { throw ChatError(.zeroDivision, "float modulo") }
            return modulo(a, b)
        case .power:
            guard a != 0 || b >= 0 else { throw ChatError(.zeroDivision, "0.0 cannot be raised to a negative power") }
            guard a >= 0 || b == b.rounded() else { throw ChatError(.type, "complex numbers are not supported") }
            let result = pow(a, b)
            guard result.isFinite || !a.isFinite || !b.isFinite else { throw ChatError(.overflow, "Result too large") }
            return result
        }
    }

    /// The remainder with the sign of the divisor.
    private static func modulo(_ a: Double, _ b: Double) -> Double {
        let remainder = fmod(a, b)
        if remainder == 0 { return b.sign == .minus ? -0.0 : 0.0 }
        return (remainder < 0) != (b < 0) ? remainder + b : remainder
    }

    static func checked(_ result: (partialValue: Int, overflow: Bool)) throws(ChatError) -> Int {
        guard !result.overflow else { throw ChatError(.overflow, "integers of more than 64 bits are not supported") }
        return result.partialValue
    }
}
