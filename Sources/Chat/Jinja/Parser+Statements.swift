extension Parser {
    /// Reads a statement behind its name. The name is still the current token.
    private typealias Rule = @Sendable (inout Parser) throws(ChatError) -> Statement

    private static let rules: [Text: Rule] = [
        "for": { (parser) throws(ChatError) in try parser.forLoop() },
        "if": { (parser) throws(ChatError) in try parser.ifStatement() },
        "set": { (parser) throws(ChatError) in try parser.set() },
        "macro": { (parser) throws(ChatError) in try parser.macro() },
        "call": { (parser) throws(ChatError) in try parser.callBlock() },
        "generation": { (parser) throws(ChatError) in try parser.generation() },
        "filter": { (parser) throws(ChatError) in try parser.filterBlock() },
        "with": { (parser) throws(ChatError) in try parser.with() },
        "autoescape": { (parser) throws(ChatError) in try parser.autoescape() },
        "block": { (parser) throws(ChatError) in try parser.block() },
        "print": { (parser) throws(ChatError) in try parser.print() },
        "do": { (parser) throws(ChatError) in .expression(try parser.tupleOrExpression(), line: parser.line) },
        "break": { (parser) throws(ChatError) in .break(line: parser.line) },
        "continue": { (parser) throws(ChatError) in .continue(line: parser.line) },
        "extends": { (parser) throws(ChatError) in try parser.templateReference() },
        "include": { (parser) throws(ChatError) in try parser.templateReference() },
        "import": { (parser) throws(ChatError) in try parser.templateReference() },
        "from": { (parser) throws(ChatError) in try parser.templateReference() },
    ]

    /// Statements up to a tag that is one of `ends`, which is then current; up to the end of the template without `ends`.
    mutating func statements(until ends: [Text]) throws(ChatError) -> [Statement] {
        try nested { (parser) throws(ChatError) in try parser.statementList(until: ends) }
    }

    private mutating func statementList(until ends: [Text]) throws(ChatError) -> [Statement] {
        var body: [Statement] = []
        while true {
            let line = self.line
            switch current.kind {
            case .end:
                guard ends.isEmpty else { throw unclosed(expecting: ends) }
                return body
            case .data(let text):
                next()
                body.append(.data(text))
            case .variableBegin:
                next()
                body.append(.output(try tupleOrExpression(), line: line))
                try expect(.variableEnd)
            case .blockBegin:
                next()
                if case .name(let name) = current.kind, ends.contains(name) { return body }
                body.append(try statement(expecting: ends))
                try expect(.blockEnd)
            default:
                throw failure("unexpected \(Text(current.kind.description).quoted)")
            }
        }
    }

    private mutating func statement(expecting ends: [Text]) throws(ChatError) -> Statement {
        guard case .name(let name) = current.kind else { throw failure("tag name expected") }
        guard let rule = Self.rules[name] else { throw unknown(tag: name, expecting: ends) }
        openTags.append(name)
        defer { openTags.removeLast() }
        next()
        return try rule(&self)
    }

    /// The body of a statement: behind the end of its tag (or a colon before that), up to one of `ends`, whose name is taken.
    private mutating func body(until ends: [Text]) throws(ChatError) -> (body: [Statement], end: Text) {
        _ = skip(.colon)
        try expect(.blockEnd)
        let body = try statements(until: ends)
        return (body, try expectName())
    }

    private mutating func body(until end: Text) throws(ChatError) -> [Statement] {
        try body(until: [end]).body
    }

    // MARK: - Control

    private mutating func forLoop() throws(ChatError) -> Statement {
        let line = self.line
        let target = try target()
        try expect("in")
        let sequence = try tupleOrExpression(allowingConditional: false)
        let test = skip("if") ? try expression() : nil
        let isRecursive = skip("recursive")
        let (body, end) = try self.body(until: ["endfor", "else"])
        let otherwise = end == "else" ? try self.body(until: "endfor") : []
        return .for(
            ForLoop(
                target: target, sequence: sequence, filter: test.map { (renumbered(target), $0) },
                isRecursive: isRecursive,
                body: body, otherwise: otherwise, line: line, bodyScope: newScope(), filterScope: newScope(),
                otherwiseScope: newScope(), loop: mention("loop")))
    }

    private mutating func ifStatement() throws(ChatError) -> Statement {
        var branches: [Branch] = []
        while true {
            let line = self.line
            let test = try tupleOrExpression(allowingConditional: false)
            let (body, end) = try self.body(until: ["elif", "else", "endif"])
            branches.append(Branch(test: test, body: body, line: line))
            if end == "elif" { continue }
            return .if(branches, otherwise: end == "else" ? try self.body(until: "endif") : [])
        }
    }

    // MARK: - Assignment

    private mutating func set() throws(ChatError) -> Statement {
        let line = self.line
        let target = try target(allowingAttributes: true)
        if skip(.assign) { return .set(target, try tupleOrExpression(), line: line) }
        let filter = at(.pipe) ? try nested { (parser) throws(ChatError) in try parser.filterChain() } : nil
        let body = try body(until: "endset")
        return .setBlock(SetBlock(target: target, filter: filter, body: body, scope: newScope(), line: line))
    }

    private mutating func with() throws(ChatError) -> Statement {
        let line = self.line
        var assignments: [(target: Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !assignments.isEmpty { try expect(.comma) }
            let target = try target()
            try expect(.assign)
            assignments.append((target, try expression()))
        }
        return .with(assignments, try body(until: "endwith"), newScope(), line: line)
    }

    /// Names with commas between them, or attributes of namespaces where those may be assigned.
    private mutating func target(allowingAttributes: Bool = false) throws(ChatError) -> Target {
        var targets: [Target] = []
        var isTuple = false
        while true {
            if !targets.isEmpty { try expect(.comma) }
            if isTupleEnd { break }
            targets.append(try singleTarget(allowingAttributes: allowingAttributes))
            guard at(.comma) else { break }
            isTuple = true
        }
        if isTuple { return .tuple(targets) }
        guard let only = targets.first else {
            throw failure("Expected an expression, got \(Text(current.kind.description).quoted)")
        }
        return only
    }

    private mutating func singleTarget(allowingAttributes: Bool) throws(ChatError) -> Target {
        let line = self.line
        if allowingAttributes, case .name(let name) = current.kind, following == .symbol(.dot) {
            next()
            next()
            return .attribute(mention(name), try expectName())
        }
        let expression = try nested { (parser) throws(ChatError) in try parser.primary() }
        guard let target = Self.target(expression) else { throw failure("can't assign to this expression", line: line) }
        return target
    }

    private static func target(_ expression: Expression) -> Target? {
        switch expression {
        case .name(let mention): return .name(mention)
        case .tuple(let items):
            let targets = items.compactMap { target($0) }
            return targets.count == items.count ? .tuple(targets) : nil
        default: return nil
        }
    }

    /// The same names, mentioned once more.
    private mutating func renumbered(_ target: Target) -> Target {
        switch target {
        case .name(let mention): return .name(self.mention(mention.name))
        case .attribute(let mention, let name): return .attribute(self.mention(mention.name), name)
        case .tuple(let targets):
            var copies: [Target] = []
            for target in targets { copies.append(renumbered(target)) }
            return .tuple(copies)
        }
    }

    private mutating func nameTarget() throws(ChatError) -> Mention {
        let line = self.line
        let name = try expectName()
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
            throw failure("can't assign to 'name'", line: line)
        }
        return mention(name)
    }

    // MARK: - Macros

    private mutating func macro() throws(ChatError) -> Statement {
        let line = self.line
        let name = try nameTarget()
        return .macro(try definition(name: name, parameters: try parameters(), end: "endmacro", line: line))
    }

    private mutating func callBlock() throws(ChatError) -> Statement {
        let line = self.line
        let parameters = at(.leftParenthesis) ? try parameters() : []
        let call = try expression()
        guard case .call = call else { throw failure("expected call", line: line) }
        return .call(body: try definition(name: nil, parameters: parameters, end: "endcall", line: line), call)
    }

    private mutating func generation() throws(ChatError) -> Statement {
        .call(body: try definition(name: nil, parameters: [], end: "endgeneration", line: line), nil)
    }

    private mutating func definition(
        name: Mention?, parameters: [MacroDefinition.Parameter], end: Text, line: Int
    ) throws(ChatError) -> MacroDefinition {
        MacroDefinition(
            name: name, parameters: parameters, body: try body(until: end), scope: newScope(), line: line,
            caller: mention("caller"), keywordRest: mention("kwargs"), rest: mention("varargs"))
    }

    private mutating func parameters() throws(ChatError) -> [MacroDefinition.Parameter] {
        try expect(.leftParenthesis)
        var parameters: [MacroDefinition.Parameter] = []
        while !at(.rightParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let name = try nameTarget()
            guard !parameters.contains(where: { $0.mention.name == name.name }) else {
                throw failure("duplicate argument '\(name.name)' in function definition")
            }
            if skip(.assign) {
                parameters.append(.init(mention: name, defaultValue: try expression()))
            } else {
                guard parameters.last?.defaultValue == nil else {
                    throw failure("non-default argument follows default argument")
                }
                parameters.append(.init(mention: name, defaultValue: nil))
            }
        }
        try expect(.rightParenthesis)
        return parameters
    }

    // MARK: - Other blocks

    private mutating func filterBlock() throws(ChatError) -> Statement {
        let line = self.line
        let chain = try nested { (parser) throws(ChatError) in try parser.filterChain(try parser.filter(of: nil)) }
        return .filterBlock(chain, try body(until: "endfilter"), newScope(), line: line)
    }

    /// `| name(…) | name …`, on the text of a block.
    private mutating func filterChain(_ first: Expression? = nil) throws(ChatError) -> Expression {
        var filter = first
        while skip(.pipe) {
            try grow()
            filter = try self.filter(of: filter)
        }
        guard let filter else { throw failure("expected a filter") }
        return filter
    }

    private mutating func autoescape() throws(ChatError) -> Statement {
        let line = self.line
        let mode = try expression()
        return .autoescape(mode, try body(until: "endautoescape"), newScope(), line: line)
    }

    private mutating func block() throws(ChatError) -> Statement {
        let line = self.line
        let name = try expectName()
        let isScoped = skip("scoped")
        let isRequired = skip("required")
        let body = try body(until: "endblock")
        _ = skip(name)
        return .block(
            Block(name: name, isScoped: isScoped, isRequired: isRequired, body: body, scope: newScope(), line: line))
    }

    private mutating func print() throws(ChatError) -> Statement {
        let line = self.line
        var parts: [Expression] = []
        while current.kind != .blockEnd {
            if !parts.isEmpty { try expect(.comma) }
            parts.append(try expression())
        }
        return .output(.concat(parts), line: line)
    }

    /// The rest of a tag that names another template.
    private mutating func templateReference() throws(ChatError) -> Statement {
        let line = self.line
        while current.kind != .blockEnd, !isAtEnd { next() }
        return .loadingTemplate(line: line)
    }

    // MARK: - Errors

    private func unclosed(expecting ends: [Text]) -> ChatError {
        failure("Unexpected end of template. \(expectation(ends))\(innermost)")
    }

    private func unknown(tag: Text, expecting ends: [Text]) -> ChatError {
        let expected = ends.isEmpty ? "" : " " + expectation(ends)
        return failure("Encountered unknown tag \(tag.quoted).\(expected)\(ends.isEmpty ? "" : innermost)")
    }

    private func expectation(_ ends: [Text]) -> String {
        "Jinja was looking for the following tags: \(ends.map(\.quoted).joined(separator: " or "))."
    }

    private var innermost: String {
        openTags.last.map { " The innermost block that needs to be closed is \($0.quoted)." } ?? ""
    }
}
