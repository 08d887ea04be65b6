// What follows an operand: attributes, items, calls, filters and tests.

extension Parser {
    mutating func postfix(_ operand: Expression) throws(ChatError) -> Expression {
        var expression = operand
        while true {
            if at(.dot) {
                expression = try attribute(of: expression)
            } else if at(.leftBracket) {
                expression = try subscripted(expression)
            } else if at(.leftParenthesis) {
                expression = .call(expression, try arguments())
            } else {
                return expression
            }
            try grow()
        }
    }

    mutating func filtered(_ operand: Expression) throws(ChatError) -> Expression {
        var expression = operand
        while true {
            if skip(.pipe) {
                expression = try filter(of: expression)
            } else if skip("is") {
                expression = try test(of: expression)
            } else if at(.leftParenthesis) {
                expression = .call(expression, try arguments())
            } else {
                return expression
            }
            try grow()
        }
    }

    private mutating func attribute(of operand: Expression) throws(ChatError) -> Expression {
        try expect(.dot)
        let token = next()
        switch token.kind {
        case .name(let name): return .attribute(operand, name)
        case .integer(let index): return .item(operand, .int(index))
        default: throw failure("expected name or number", line: token.line)
        }
    }

    private mutating func subscripted(_ operand: Expression) throws(ChatError) -> Expression {
        try expect(.leftBracket)
        var items: [Expression] = []
        while !at(.rightBracket) {
            if !items.isEmpty { try expect(.comma) }
            let (item, isSlice) = try indexOrSlice(of: operand)
            if isSlice {
                guard items.isEmpty, at(.rightBracket) else { throw failure("slices in tuples are not supported") }
                next()
                return item
            }
            items.append(item)
        }
        try expect(.rightBracket)
        return .item(operand, items.count == 1 ? items[0] : .tuple(items))
    }

    /// An index, or the slice of the operand.
    private mutating func indexOrSlice(of operand: Expression) throws(ChatError) -> (Expression, isSlice: Bool) {
        let start: Expression?
        if at(.colon) {
            start = nil
        } else {
            let index = try expression()
            guard at(.colon) else { return (index, false) }
            start = index
        }
        next()
        let stop = try sliceBound()
        let step = skip(.colon) ? try sliceBound() : nil
        return (.slice(operand, start: start, stop: stop, step: step), true)
    }

    private mutating func sliceBound() throws(ChatError) -> Expression? {
        at(.colon) || at(.rightBracket) || at(.comma) ? nil : try expression()
    }

    mutating func arguments() throws(ChatError) -> Arguments {
        let line = self.line
        try expect(.leftParenthesis)
        var arguments = Arguments()
        var isFirst = true
        func require(_ isValid: Bool) throws(ChatError) {
            guard isValid else {
                throw ChatError(.syntax, "invalid syntax for function call expression", line: line)
            }
        }
        while !at(.rightParenthesis) {
            if !isFirst {
                try expect(.comma)
                if at(.rightParenthesis) { break }
            }
            isFirst = false
            if skip(.multiply) {
                try require(arguments.rest == nil && arguments.keywordRest == nil)
                arguments.rest = try expression()
            } else if skip(.power) {
                try require(arguments.keywordRest == nil)
                arguments.keywordRest = try expression()
            } else if case .name(let name) = current.kind, following == .symbol(.assign) {
                try require(arguments.keywordRest == nil)
                try require(!arguments.keyword.contains { $0.name == name })
                next()
                next()
                arguments.keyword.append((name, try expression()))
            } else {
                try require(arguments.rest == nil && arguments.keywordRest == nil && arguments.keyword.isEmpty)
                arguments.positional.append(try expression())
            }
        }
        try expect(.rightParenthesis)
        return arguments
    }

    /// A filter and its arguments, behind the `|`.
    mutating func filter(of operand: Expression?) throws(ChatError) -> Expression {
        let line = self.line
        let name = try dottedName()
        let arguments = at(.leftParenthesis) ? try arguments() : Arguments()
        let call = FilterCall(name: name, filter: Filter.named[name], arguments: arguments, line: line)
        return .filter(operand, call)
    }

    /// A test and its arguments, behind the `is`. A single argument needs no parentheses.
    private mutating func test(of operand: Expression) throws(ChatError) -> Expression {
        let isNegated = skip("not")
        let line = self.line
        let name = try dottedName()
        var arguments = Arguments()
        if at(.leftParenthesis) {
            arguments = try self.arguments()
        } else if takesOperand {
            if at("is") { throw failure("You cannot chain multiple tests with is") }
            let operand = try nested { (parser) throws(ChatError) in try parser.primary() }
            arguments.positional = [try postfix(operand)]
        }
        let test = Expression.test(
            operand, TestCall(name: name, test: Test.named[name], arguments: arguments, line: line))
        return isNegated ? .not(test) : test
    }

    /// Whether an operand of a test without parentheses begins here.
    private var takesOperand: Bool {
        switch current.kind {
        case .name(let name): name != "else" && name != "or" && name != "and"
        case .string, .integer, .float, .symbol(.leftBracket), .symbol(.leftBrace): true
        default: false
        }
    }

    private mutating func dottedName() throws(ChatError) -> Text {
        var name = try expectName()
        while skip(.dot) { name = Text(bytes: name.bytes + Text(".").bytes + (try expectName()).bytes) }
        return name
    }
}
