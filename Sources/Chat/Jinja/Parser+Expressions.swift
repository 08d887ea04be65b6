extension Parser {
    mutating func expression(allowingConditional: Bool = true) throws(ChatError) -> Expression {
        try nested { (parser) throws(ChatError) in
            allowingConditional ? try parser.conditional() : try parser.or()
        }
    }

    private mutating func conditional() throws(ChatError) -> Expression {
        var line = self.line
        var expression = try or()
        while skip("if") {
            try grow()
            let test = try or()
            let otherwise = skip("else") ? try nested { (parser) throws(ChatError) in try parser.conditional() } : nil
            expression = .conditional(test: test, then: expression, otherwise: otherwise, line: line)
            line = self.line
        }
        return expression
    }

    private mutating func or() throws(ChatError) -> Expression {
        var left = try and()
        while skip("or") {
            try grow()
            left = .or(left, try and())
        }
        return left
    }

    private mutating func and() throws(ChatError) -> Expression {
        var left = try not()
        while skip("and") {
            try grow()
            left = .and(left, try not())
        }
        return left
    }

    private mutating func not() throws(ChatError) -> Expression {
        guard skip("not") else { return try comparison() }
        return .not(try nested { (parser) throws(ChatError) in try parser.not() })
    }

    private mutating func comparison() throws(ChatError) -> Expression {
        let first = try sum()
        var rest: [(relation: Comparison, operand: Expression)] = []
        while true {
            if case .symbol(let symbol) = current.kind, let comparison = Comparison(rawValue: symbol.rawValue) {
                next()
                rest.append((comparison, try sum()))
            } else if skip("in") {
                rest.append((.in, try sum()))
            } else if at("not"), following == .name("in") {
                next()
                next()
                rest.append((.notIn, try sum()))
            } else {
                return rest.isEmpty ? first : .compare(first, rest)
            }
        }
    }

    /// A chain of binary operators of one precedence, grouped to the left.
    private mutating func chain(
        _ operators: [Token.Symbol: BinaryOperator], _ operand: (inout Parser) throws(ChatError) -> Expression
    ) throws(ChatError) -> Expression {
        var left = try operand(&self)
        while case .symbol(let symbol) = current.kind, let binary = operators[symbol] {
            try grow()
            next()
            left = .binary(binary, left, try operand(&self))
        }
        return left
    }

    private mutating func sum() throws(ChatError) -> Expression {
        try chain([.plus: .add, .minus: .subtract]) { (parser) throws(ChatError) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(ChatError) -> Expression {
        var parts = [try product()]
        while skip(.tilde) { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : .concat(parts)
    }

    private mutating func product() throws(ChatError) -> Expression {
        let operators: [Token.Symbol: BinaryOperator] = [
            .multiply: .multiply, .divide: .divide, .floorDivide: .floorDivide, .modulo: .modulo,
        ]
        return try chain(operators) { (parser) throws(ChatError) in try parser.power() }
    }

    private mutating func power() throws(ChatError) -> Expression {
        try chain([.power: .power]) { (parser) throws(ChatError) in try parser.unary() }
    }

    /// A filter or test binds to the whole of `-x`, not to `x`.
    private mutating func unary(allowingFilters: Bool = true) throws(ChatError) -> Expression {
        var expression: Expression
        if skip(.minus) {
            expression = .unary(
                .minus, try nested { (parser) throws(ChatError) in try parser.unary(allowingFilters: false) })
        } else if skip(.plus) {
            expression = .unary(
                .plus, try nested { (parser) throws(ChatError) in try parser.unary(allowingFilters: false) })
        } else {
            expression = try primary()
        }
        expression = try postfix(expression)
        return allowingFilters ? try filtered(expression) : expression
    }

    mutating func primary() throws(ChatError) -> Expression {
        let token = current
        switch token.kind {
        case .name(let name):
            next()
            switch name {
            case "true", "True": return .bool(true)
            case "false", "False": return .bool(false)
            case "none", "None": return .none
            default: return .name(mention(name))
            }
        case .string(let first):
            next()
            var bytes = first.bytes
            while case .string(let more) = current.kind {
                bytes += more.bytes
                next()
            }
            return .string(Text(bytes: bytes))
        case .integer(let value):
            next()
            return .int(value)
        case .float(let value):
            next()
            return .float(value)
        case .symbol(.leftParenthesis):
            next()
            let expression = try tupleOrExpression(isParenthesised: true)
            try expect(.rightParenthesis)
            return expression
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try dict()
        default: throw failure("unexpected \(Text(token.kind.description).quoted)")
        }
    }

    /// One expression, or several with commas between them as a tuple.
    mutating func tupleOrExpression(
        allowingConditional: Bool = true, isParenthesised: Bool = false
    ) throws(ChatError) -> Expression {
        var items: [Expression] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(.comma) }
            if isTupleEnd { break }
            items.append(try expression(allowingConditional: allowingConditional))
            guard at(.comma) else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = items.first { return only }
            guard isParenthesised else {
                throw failure("Expected an expression, got \(Text(current.kind.description).quoted)")
            }
        }
        return .tuple(items)
    }

    var isTupleEnd: Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): true
        default: false
        }
    }

    private mutating func list() throws(ChatError) -> Expression {
        try expect(.leftBracket)
        var items: [Expression] = []
        while !at(.rightBracket) {
            if !items.isEmpty { try expect(.comma) }
            if at(.rightBracket) { break }
            items.append(try expression())
        }
        try expect(.rightBracket)
        return .list(items)
    }

    private mutating func dict() throws(ChatError) -> Expression {
        try expect(.leftBrace)
        var entries: [(key: Expression, value: Expression)] = []
        while !at(.rightBrace) {
            if !entries.isEmpty { try expect(.comma) }
            if at(.rightBrace) { break }
            let key = try expression()
            try expect(.colon)
            entries.append((key, try expression()))
        }
        try expect(.rightBrace)
        return .dict(entries)
    }
}
