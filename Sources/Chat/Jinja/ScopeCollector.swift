// What a region mentions, without looking into the regions within it.

extension Symbols {
    func collect(_ statements: [Statement]) {
        for statement in statements { collect(statement) }
    }

    private func collect(_ statement: Statement) {
        switch statement {
        case .output(let expression, _), .expression(let expression, _): collect(expression)
        case .for(let loop): collect(loop.sequence)
        case .if(let branches, let otherwise): collect(branches, otherwise)
        case .set(let target, let value, _):
            collect(value)
            collect(target)
        case .setBlock(let block): collect(block.target)
        case .macro(let macro): if let name = macro.name { store(name.name) }
        case .call(_, let call): if let call { collect(call) }
        case .filterBlock(let filter, _, _, _): collect(filter)
        case .with(let assignments, _, _, _): for assignment in assignments { collect(assignment.value) }
        case .data, .autoescape, .block, .break, .continue, .loadingTemplate: break
        }
    }

    private func collect(_ branches: [Branch], _ otherwise: [Statement]) {
        guard let first = branches.first else { return }
        collect(first.test)
        let body = copy()
        body.collect(first.body)
        let others = copy()
        for branch in branches.dropFirst() {
            others.collect(branch.test)
            let body = others.copy()
            body.collect(branch.body)
            others.merge([body])
        }
        let last = copy()
        last.collect(otherwise)
        merge([body, others, last])
    }

    private func collect(_ target: Target) {
        switch target {
        case .name(let mention): store(mention.name)
        case .attribute(let mention, _): load(mention.name)
        case .tuple(let targets): for target in targets { collect(target) }
        }
    }

    func declare(_ target: Target) {
        switch target {
        case .name(let mention): declareParameter(mention.name)
        case .attribute(let mention, _): load(mention.name)
        case .tuple(let targets): for target in targets { declare(target) }
        }
    }

    func collect(_ expression: Expression) {
        expression.forEachMention { load($0.name) }
    }
}

extension Expression {
    /// Calls `visit` with every mention in the expression, in reading order.
    func forEachMention(_ visit: (Mention) -> Void) {
        if case .name(let mention) = self { visit(mention) }
        forEachOperand { $0.forEachMention(visit) }
    }

    /// Calls `visit` with every expression directly in this one.
    func forEachOperand<Failure: Error>(
        _ visit: (Expression) throws(Failure) -> Void
    ) throws(Failure) {
        switch self {
        case .none, .bool, .int, .float, .string, .name: break
        case .list(let items), .tuple(let items), .concat(let items):
            for item in items { try visit(item) }
        case .dict(let entries):
            for entry in entries {
                try visit(entry.key)
                try visit(entry.value)
            }
        case .unary(_, let operand), .not(let operand), .attribute(let operand, _): try visit(operand)
        case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right),
            .item(let left, let right):
            try visit(left)
            try visit(right)
        case .compare(let first, let rest):
            try visit(first)
            for (_, operand) in rest { try visit(operand) }
        case .conditional(let test, let then, let otherwise, _):
            try visit(test)
            try visit(then)
            if let otherwise { try visit(otherwise) }
        case .slice(let operand, let start, let stop, let step):
            try visit(operand)
            for bound in [start, stop, step] { if let bound { try visit(bound) } }
        case .call(let operand, let arguments):
            try visit(operand)
            try arguments.forEachOperand(visit)
        case .filter(let operand, let call):
            if let operand { try visit(operand) }
            try call.arguments.forEachOperand(visit)
        case .test(let operand, let call):
            try visit(operand)
            try call.arguments.forEachOperand(visit)
        }
    }
}

extension Arguments {
    func forEachOperand<Failure: Error>(_ visit: (Expression) throws(Failure) -> Void) throws(Failure) {
        for argument in positional { try visit(argument) }
        for argument in keyword { try visit(argument.value) }
        if let rest { try visit(rest) }
        if let keywordRest { try visit(keywordRest) }
    }
}

// MARK: - Special variables

extension [Statement] {
    /// Whether a name is read in these statements, or within them, before they declare it.
    func reads(_ name: Text) -> Bool { firstUse(of: name) == .read }

    fileprivate func firstUse(of name: Text) -> Use? {
        for statement in self {
            if let use = statement.firstUse(of: name) { return use }
        }
        return nil
    }
}

private enum Use { case read, declared }

extension Statement {
    /// The first use of a name, in the order in which the nodes of the reference implementation are linked. Blocks are not looked
    /// into.
    fileprivate func firstUse(of name: Text) -> Use? {
        switch self {
        case .data, .block, .break, .continue, .loadingTemplate: nil
        case .output(let expression, _), .expression(let expression, _): expression.firstUse(of: name)
        case .for(let loop):
            loop.target.firstUse(of: name) ?? loop.sequence.firstUse(of: name) ?? loop.body.firstUse(of: name)
                ?? loop.otherwise.firstUse(of: name) ?? loop.filter?.test.firstUse(of: name)
        case .if(let branches, let otherwise):
            branches.lazy.compactMap { $0.test.firstUse(of: name) ?? $0.body.firstUse(of: name) }.first
                ?? otherwise.firstUse(of: name)
        case .set(let target, let value, _): target.firstUse(of: name) ?? value.firstUse(of: name)
        case .setBlock(let block):
            block.target.firstUse(of: name) ?? block.filter?.firstUse(of: name) ?? block.body.firstUse(of: name)
        case .macro(let macro): macro.firstUse(of: name)
        case .call(let body, let call): call?.firstUse(of: name) ?? body.firstUse(of: name)
        case .filterBlock(let filter, let body, _, _): body.firstUse(of: name) ?? filter.firstUse(of: name)
        case .with(let assignments, let body, _, _):
            assignments.lazy.compactMap { $0.target.firstUse(of: name) }.first
                ?? assignments.lazy.compactMap { $0.value.firstUse(of: name) }.first ?? body.firstUse(of: name)
        case .autoescape(let mode, let body, _, _): mode.firstUse(of: name) ?? body.firstUse(of: name)
        }
    }
}

extension MacroDefinition {
    fileprivate func firstUse(of name: Text) -> Use? {
        if parameters.contains(where: { $0.mention.name == name }) { return .declared }
        return parameters.lazy.compactMap { $0.defaultValue?.firstUse(of: name) }.first ?? body.firstUse(of: name)
    }
}

extension Expression {
    fileprivate func firstUse(of name: Text) -> Use? {
        var isRead = false
        forEachMention { isRead = isRead || $0.name == name }
        return isRead ? .read : nil
    }
}

extension Target {
    fileprivate func firstUse(of name: Text) -> Use? {
        switch self {
        case .name(let mention): mention.name == name ? .declared : nil
        case .attribute: nil
        case .tuple(let targets): targets.lazy.compactMap { $0.firstUse(of: name) }.first
        }
    }
}
