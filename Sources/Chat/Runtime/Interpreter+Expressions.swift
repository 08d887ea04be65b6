extension Interpreter {
    func evaluate(_ expression: Expression, _ frame: Frame) throws(ChatError) -> Value {
        switch expression {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .float(let value): return .float(value)
        case .string(let text): return .string(text)
        case .name(let mention): return value(mention, frame)
        default:
            try spend(1)
            depth += 1
            defer { depth -= 1 }
            guard depth <= limits.depth else { throw ChatError(.limit, "the template recurses too deeply") }
            return try evaluateNode(expression, frame)
        }
    }

    /// An expression with operands. Each kind has a function of its own, so that what recurses needs little stack.
    private func evaluateNode(_ expression: Expression, _ frame: Frame) throws(ChatError) -> Value {
        switch expression {
        case .none, .bool, .int, .float, .string, .name: try evaluate(expression, frame)
        case .list(let items): try .list(try values(items, frame))
        case .tuple(let items): try .tuple(try values(items, frame))
        case .dict(let entries): try evaluateDict(entries, frame)
        case .unary(let sign, let operand): try Arithmetic.apply(sign, to: try evaluate(operand, frame))
        case .binary(let binary, let left, let right): try evaluateBinary(binary, left, right, frame)
        case .not(let operand): .bool(!(try evaluate(operand, frame).isTrue))
        case .and(let left, let right): try evaluateAnd(left, right, frame)
        case .or(let left, let right): try evaluateOr(left, right, frame)
        case .compare(let first, let rest): try evaluateComparison(first, rest, frame)
        case .concat(let parts): try evaluateConcat(parts, frame)
        case .conditional(let test, let then, let otherwise, let line):
            try evaluateConditional(test, then, otherwise, line: line, frame)
        case .attribute(let operand, let name): try attribute(name, of: try evaluate(operand, frame))
        case .item(let operand, let key): try evaluateItem(operand, key, frame)
        case .slice(let operand, let start, let stop, let step): try evaluateSlice(operand, start, stop, step, frame)
        case .call(let callee, let arguments): try evaluateCall(callee, arguments, caller: nil, frame)
        case .filter(let operand, let call): try evaluateFilter(operand, call, frame)
        case .test(let operand, let call): try evaluateTest(operand, call, frame)
        }
    }

    private func values(_ expressions: [Expression], _ frame: Frame) throws(ChatError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(expressions.count)
        for expression in expressions { values.append(try evaluate(expression, frame)) }
        return values
    }

    private func evaluateDict(
        _ entries: [(key: Expression, value: Expression)], _ frame: Frame
    ) throws(ChatError) -> Value {
        var pairs: [(key: Value, value: Value)] = []
        for (key, value) in entries { pairs.append((try evaluate(key, frame), try evaluate(value, frame))) }
        return .dict(try DictValue(pairs))
    }

    // MARK: - Operators

    private func evaluateBinary(
        _ binary: BinaryOperator, _ left: Expression, _ right: Expression, _ frame: Frame
    ) throws(ChatError) -> Value {
        let a = try evaluate(left, frame)
        let b = try evaluate(right, frame)
        return try Arithmetic.apply(binary, a, b, self)
    }

    private func evaluateAnd(_ left: Expression, _ right: Expression, _ frame: Frame) throws(ChatError) -> Value {
        let value = try evaluate(left, frame)
        return value.isTrue ? try evaluate(right, frame) : value
    }

    private func evaluateOr(_ left: Expression, _ right: Expression, _ frame: Frame) throws(ChatError) -> Value {
        let value = try evaluate(left, frame)
        return value.isTrue ? value : try evaluate(right, frame)
    }

    private func evaluateComparison(
        _ first: Expression, _ rest: [(relation: Comparison, operand: Expression)], _ frame: Frame
    ) throws(ChatError) -> Value {
        var left = try evaluate(first, frame)
        for (comparison, operand) in rest {
            let right = try evaluate(operand, frame)
            guard try comparison.holds(left, right, self) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func evaluateConcat(_ parts: [Expression], _ frame: Frame) throws(ChatError) -> Value {
        var bytes: [UInt8] = []
        var isMarkup = false
        for part in parts {
            let value = try evaluate(part, frame)
            let text = escapes ? value.softText : value.text
            isMarkup = isMarkup || text.isMarkup
            bytes += (isMarkup ? text.escaped : text).bytes
            try reserve(text.bytes.count)
        }
        try reserve(bytes.count)
        return .string(Text(bytes: bytes, isMarkup: isMarkup))
    }

    private func evaluateConditional(
        _ test: Expression, _ then: Expression, _ otherwise: Expression?, line: Int, _ frame: Frame
    ) throws(ChatError) -> Value {
        if try evaluate(test, frame).isTrue { return try evaluate(then, frame) }
        if let otherwise { return try evaluate(otherwise, frame) }
        return .undefined(
            .hint("the inline if-expression on line \(line) evaluated to false and no else section was defined."))
    }

    // MARK: - Parts

    private func evaluateItem(_ operand: Expression, _ key: Expression, _ frame: Frame) throws(ChatError) -> Value {
        let container = try evaluate(operand, frame)
        return try item(try evaluate(key, frame), of: container)
    }

    private func evaluateSlice(
        _ operand: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?, _ frame: Frame
    ) throws(ChatError) -> Value {
        let container = try evaluate(operand, frame)
        let slice = try Slice(
            start: try start.map { (bound) throws(ChatError) in try evaluate(bound, frame) },
            stop: try stop.map { (bound) throws(ChatError) in try evaluate(bound, frame) },
            step: try step.map { (bound) throws(ChatError) in try evaluate(bound, frame) })
        return try counted(try slice.apply(to: container))
    }

    // MARK: - Filters and tests

    private func evaluateFilter(_ operand: Expression?, _ call: FilterCall, _ frame: Frame) throws(ChatError) -> Value {
        let value = try operand.map { (operand) throws(ChatError) in try evaluate(operand, frame) } ?? .string(captured)
        let arguments = try self.arguments(call.arguments, frame)
        guard let filter = call.filter else {
            throw ChatError(.runtime, "No filter named \(call.name.quoted) found.", line: call.line)
        }
        return try apply(filter, to: value, arguments)
    }

    private func evaluateTest(_ operand: Expression, _ call: TestCall, _ frame: Frame) throws(ChatError) -> Value {
        let value = try evaluate(operand, frame)
        let arguments = try self.arguments(call.arguments, frame)
        guard let test = call.test else {
            throw ChatError(.runtime, "No test named \(call.name.quoted) found.", line: call.line)
        }
        return .bool(try apply(test, to: value, arguments))
    }

    func apply(_ filter: Filter, to value: Value, _ arguments: CallArguments) throws(ChatError) -> Value {
        try countReading(value)
        return try counted(try filter.apply(self, value, try filter.signature.bind(arguments, to: filter.name)))
    }

    func apply(_ test: Test, to value: Value, _ arguments: CallArguments) throws(ChatError) -> Bool {
        try countReading(value)
        return try test.apply(self, value, try test.signature.bind(arguments, to: test.name))
    }
}

extension Comparison {
    func holds(_ a: Value, _ b: Value, _ interpreter: Interpreter) throws(ChatError) -> Bool {
        switch self {
        case .in: return try Value.contains(b, a, interpreter)
        case .notIn: return !(try Value.contains(b, a, interpreter))
        default: break
        }
        try interpreter.countComparing(a, b)
        return switch self {
        case .equal: Value.isEqual(a, b)
        case .notEqual: !Value.isEqual(a, b)
        default: try Value.isOrdered(a, self, b)
        }
    }
}
