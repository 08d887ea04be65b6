extension Interpreter {
    func execute(_ statements: [Statement], _ frame: Frame) throws(ChatError) -> Flow {
        depth += 1
        defer { depth -= 1 }
        guard depth <= limits.depth else { throw ChatError(.limit, "the template recurses too deeply") }
        for statement in statements {
            let flow = try execute(statement, frame)
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func execute(_ statement: Statement, _ frame: Frame) throws(ChatError) -> Flow {
        try spend(1)
        switch statement {
        case .data(let text): try write(text)
        case .output(let expression, let line):
            try located(line) { () throws(ChatError) in try print(expression, frame) }
        case .set(let target, let value, let line):
            try located(line) { () throws(ChatError) in try set(target, value, frame) }
        case .if(let branches, let otherwise): return try execute(branches, otherwise, frame)
        case .for(let loop): try execute(loop, frame)
        case .macro(let definition):
            if let name = definition.name { assign(.macro(macro(definition, frame)), to: name, frame) }
        case .setBlock(let block):
            let (value, flow) = try filtered(block.body, block.filter, block.scope, frame, line: block.line)
            if flow != .normal { return flow }
            try located(block.line) { () throws(ChatError) in try assign(value, to: block.target, frame) }
        case .filterBlock(let filter, let body, let scope, let line):
            let (value, flow) = try filtered(body, filter, scope, frame, line: line)
            if flow != .normal { return flow }
            try located(line) { () throws(ChatError) in try write(value) }
        case .call(let body, let call): try execute(body, call, frame)
        case .with(let assignments, let body, let scope, let line):
            try located(line) { () throws(ChatError) in
                for (target, value) in assignments { try assign(try evaluate(value, frame), to: target, frame) }
            }
            start(scope, frame)
            return try execute(body, frame)
        case .autoescape(let mode, let body, let scope, let line):
            start(scope, frame)
            let outer = escapes
            defer { escapes = outer }
            try located(line) { () throws(ChatError) in escapes = try evaluate(mode, frame).isTrue }
            return try execute(body, frame)
        case .block(let block): try execute(block, frame)
        case .expression(let expression, let line):
            try located(line) { () throws(ChatError) in _ = try evaluate(expression, frame) }
        case .break: return .break
        case .continue: return .continue
        case .loadingTemplate(let line):
            throw ChatError(.type, "no loader for this environment specified", line: line)
        }
        return .normal
    }

    /// Names the line in what `body` throws.
    func located<Result>(_ line: Int, _ body: () throws(ChatError) -> Result) throws(ChatError) -> Result {
        do {
            return try body()
        } catch {
            throw error.at(line: line)
        }
    }

    // MARK: - Output and assignment

    private func print(_ expression: Expression, _ frame: Frame) throws(ChatError) {
        let value = try evaluate(expression, frame)
        if escapes { return try write(value.escaped) }
        if case .string(let text) = value { return try write(text) }
        try write(value.text)
    }

    private func set(_ target: Target, _ value: Expression, _ frame: Frame) throws(ChatError) {
        let value = try evaluate(value, frame)
        try assign(value, to: target, frame)
    }

    /// The text of a block, or what a filter makes of it.
    private func filtered(
        _ body: [Statement], _ filter: Expression?, _ scope: ScopeID, _ frame: Frame, line: Int
    ) throws(ChatError) -> (Value, Flow) {
        start(scope, frame)
        let (text, flow) = try capture { () throws(ChatError) in try execute(body, frame) }
        guard flow == .normal, let filter else { return (.string(text), flow) }
        let value = try located(line) { () throws(ChatError) in
            captured = text
            return try evaluate(filter, frame)
        }
        return (value, .normal)
    }

    /// The output of a `filter` or `call`: only strings will do.
    private func write(_ value: Value) throws(ChatError) {
        guard case .string(let text) = value else {
            throw ChatError(.type, "sequence item: expected str instance, \(value.typeName) found")
        }
        try write(text)
    }

    // MARK: - Control

    private func execute(
        _ branches: [Branch], _ otherwise: [Statement], _ frame: Frame
    ) throws(ChatError) -> Flow {
        for branch in branches {
            let holds = try located(branch.line) { () throws(ChatError) in try evaluate(branch.test, frame).isTrue }
            if holds { return try execute(branch.body, frame) }
        }
        return try execute(otherwise, frame)
    }

    private func execute(_ loop: ForLoop, _ frame: Frame) throws(ChatError) {
        let iterable = try located(loop.line) { () throws(ChatError) in try evaluate(loop.sequence, frame) }
        if loop.isRecursive {
            let text = try recurse(loop, iterable, depth: 0, frame)
            try write(text)
        } else {
            try run(loop, iterable, depth: 0, recursion: nil, outer: frame, frame)
        }
    }

    /// The output of a recursive loop for some items.
    private func recurse(_ loop: ForLoop, _ iterable: Value, depth: Int, _ outer: Frame) throws(ChatError) -> Text {
        let frame = Frame(slotCount: analysis.scopes[loop.bodyScope].slotCount, outer: outer)
        register(frame)
        register(outer)
        let (text, _) = try capture { () throws(ChatError) in
            try run(
                loop, iterable, depth: depth,
                recursion: { (items, depth) throws(ChatError) in
                    .string(try self.recurse(loop, items, depth: depth, outer))
                }, outer: outer, frame)
            return .normal
        }
        return text
    }

    /// - Parameters:
    ///   - outer: The frame around the loop.
    ///   - frame: The frame of its body.
    private func run(
        _ loop: ForLoop, _ iterable: Value, depth: Int, recursion: LoopState.Recursion?, outer: Frame, _ frame: Frame
    ) throws(ChatError) {
        let iteration = try located(loop.line) { () throws(ChatError) in try Iteration.over(iterable, self) }
        let filtered = try filtered(iteration, iterable, loop, outer)
        let state = try LoopState(iterable, filtered, depth0: depth, recursion: recursion)
        let scope = analysis.scopes[loop.bodyScope]
        var isCompleted = false
        while let item = try located(loop.line, { () throws(ChatError) in try state.advance() }) {
            try spend(1)
            try located(loop.line) { () throws(ChatError) in try assign(item, to: loop.target, frame) }
            if scope.takesLoop { assign(.loop(state), to: loop.loop, frame) }
            start(loop.bodyScope, frame)
            let flow = try execute(loop.body, frame)
            if flow == .break { break }
            isCompleted = isCompleted || flow == .normal
        }
        if scope.takesLoop { frame[analysis.places[loop.loop.id]] = nil }
        // As in Jinja, a body that is left early does not count as an iteration.
        if !isCompleted, !loop.otherwise.isEmpty {
            start(loop.otherwiseScope, frame)
            _ = try execute(loop.otherwise, frame)
        }
    }

    /// The items for which the test of a `for` holds. It has a frame of its own and is asked item by item.
    private func filtered(
        _ iteration: Iteration, _ iterable: Value, _ loop: ForLoop, _ outer: Frame
    ) throws(ChatError) -> Iteration {
        guard let (target, test) = loop.filter else { return iteration }
        let frame = try enter(loop.filterScope, from: outer)
        register(outer)
        var source = iteration
        return .lazy(
            try Generator(from: iterable) { () throws(ChatError) in
                while let item = try source.next() {
                    try self.spend(1)
                    try self.assign(item, to: target, frame)
                    if try self.evaluate(test, frame).isTrue { return item }
                }
                return nil
            })
    }

    // MARK: - Blocks

    private func execute(_ body: MacroDefinition, _ call: Expression?, _ frame: Frame) throws(ChatError) {
        let macro = macro(body, frame)
        let value = try located(body.line) { () throws(ChatError) in
            guard case .call(let callee, let arguments) = call else { return try invoke(macro, CallArguments()) }
            return try evaluateCall(callee, arguments, caller: .macro(macro), frame)
        }
        try located(body.line) { () throws(ChatError) in try write(value) }
    }

    func macro(_ definition: MacroDefinition, _ frame: Frame) -> Macro {
        register(frame)
        return Macro(definition, in: frame)
    }

    private func execute(_ block: Block, _ frame: Frame) throws(ChatError) {
        guard !block.isRequired else {
            throw ChatError(.runtime, "Required block \(block.name.quoted) not found", line: block.line)
        }
        var locals = blockLocals.last ?? [:]
        for (name, place) in analysis.scopes[block.scope].locals {
            if let value = frame[place] { locals[name] = value }
        }
        blockLocals.append(locals)
        defer { blockLocals.removeLast() }
        let inner = try enter(block.scope, from: nil)
        _ = try execute(block.body, inner)
    }
}
