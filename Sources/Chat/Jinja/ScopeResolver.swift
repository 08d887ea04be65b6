/// Walks a template region by region, and finds the place of every mention.
struct ScopeResolver {
    private(set) var analysis: ScopeAnalysis

    /// Where in the template the walk is.
    private struct Context {
        var symbols: Symbols
        /// Outside of every region but that of the template, so that what is assigned is a variable of the template.
        var isTopLevel = false
        /// In an `if`: an unknown filter or test is an error only once it is called.
        var isConditional = false
        /// Whether `break` has a loop to leave.
        var isInLoop = false
        /// Whether some `for` is around, in this frame or an outer one: then `loop` may not be assigned.
        var isInFor = false
    }

    init(_ analysis: ScopeAnalysis) {
        self.analysis = analysis
    }

    mutating func resolve(root body: [Statement]) throws(ChatError) {
        let symbols = Symbols(level: 0, frame: FrameLayout(depth: 0), parent: nil)
        symbols.collect(body)
        try resolve(body, Context(symbols: symbols, isTopLevel: true))
        finish(Parser.rootScope, symbols)
        if analysis.blocks.isEmpty { analysis.exports = [] }
    }

    // MARK: - Regions

    /// A region within the current one, with a frame of its own or not.
    private func inner(_ context: Context, newFrame: Bool = false) -> Context {
        let outer = context.symbols
        let frame = newFrame ? FrameLayout(depth: outer.frame.depth + 1) : outer.frame
        return Context(
            symbols: Symbols(level: outer.level + 1, frame: frame, parent: outer),
            isInLoop: context.isInLoop && !newFrame, isInFor: context.isInFor)
    }

    /// Writes down how the variables of a region begin.
    private mutating func finish(_ scope: ScopeID, _ symbols: Symbols) {
        for (slot, load) in symbols.loads {
            switch load {
            case .parameter: break
            case .undefined: analysis.scopes[scope].starts.append((slot, .undefined))
            case .context(let name): analysis.scopes[scope].starts.append((slot, .context(name)))
            case .copy(let depth, let source):
                let place = ScopeAnalysis.Place(hops: symbols.frame.depth - depth, slot: source)
                analysis.scopes[scope].starts.append((slot, .copy(place)))
            }
        }
        analysis.scopes[scope].slotCount = symbols.frame.slots.count
    }

    private mutating func place(_ mention: Mention, _ context: Context) {
        context.symbols.load(mention.name)
        guard let (depth, slot) = context.symbols.find(mention.name) else { return }
        analysis.places[mention.id] = ScopeAnalysis.Place(hops: context.symbols.frame.depth - depth, slot: slot)
    }

    // MARK: - Statements

    private mutating func resolve(_ statements: [Statement], _ context: Context) throws(ChatError) {
        for statement in statements { try resolve(statement, context) }
    }

    private mutating func resolve(_ statement: Statement, _ context: Context) throws(ChatError) {
        switch statement {
        case .data, .loadingTemplate: break
        case .output(let expression, _), .expression(let expression, _): try resolve(expression, context)
        case .for(let loop): try resolve(loop, context)
        case .if(let branches, let otherwise):
            var context = context
            context.isConditional = true
            for branch in branches {
                try resolve(branch.test, context)
                try resolve(branch.body, context)
            }
            try resolve(otherwise, context)
        case .set(let target, let value, let line):
            try assign(target, context, line: line)
            try resolve(value, context)
        case .setBlock(let block): try resolve(block, context)
        case .macro(let macro):
            try resolve(macro, context)
            if let name = macro.name {
                place(name, context)
                if context.isTopLevel { analysis.exports.insert(name.id) }
            }
        case .call(let body, let call):
            try resolve(body, context)
            if let call { try resolve(call, context) }
        case .filterBlock(let filter, let body, let scope, _):
            let inner = inner(context)
            inner.symbols.collect(body)
            inner.symbols.collect(filter)
            try resolve(body, inner)
            try resolve(filter, inner)
            finish(scope, inner.symbols)
        case .with(let assignments, let body, let scope, _):
            let inner = inner(context)
            for assignment in assignments { inner.symbols.declare(assignment.target) }
            inner.symbols.collect(body)
            for assignment in assignments {
                resolve(assignment.target, inner)
                try resolve(assignment.value, context)
            }
            try resolve(body, inner)
            finish(scope, inner.symbols)
        case .autoescape(let mode, let body, let scope, _):
            let inner = inner(context)
            inner.symbols.collect(mode)
            inner.symbols.collect(body)
            try resolve(mode, inner)
            try resolve(body, inner)
            finish(scope, inner.symbols)
        case .block(let block): try resolve(block, context)
        case .break(let line):
            guard context.isInLoop else { throw ChatError(.syntax, "'break' outside loop", line: line) }
        case .continue(let line):
            guard context.isInLoop else { throw ChatError(.syntax, "'continue' not properly in loop", line: line) }
        }
    }

    private mutating func resolve(_ loop: ForLoop, _ context: Context) throws(ChatError) {
        try resolve(loop.sequence, context)
        var body = inner(context, newFrame: loop.isRecursive)
        body.isInLoop = true
        body.isInFor = true
        let takesLoop = loop.isRecursive || loop.body.reads("loop") || loop.body.containsScopedBlock
        analysis.scopes[loop.bodyScope].takesLoop = takesLoop
        if takesLoop { body.symbols.declareParameter("loop") }
        body.symbols.declare(loop.target)
        body.symbols.collect(loop.body)
        try assign(loop.target, body, line: loop.line)
        if takesLoop { place(loop.loop, body) }

        if let (target, test) = loop.filter {
            let filter = inner(context, newFrame: true)
            filter.symbols.declare(target)
            filter.symbols.collect(test)
            resolve(target, filter)
            try resolve(test, filter)
            finish(loop.filterScope, filter.symbols)
        }
        try resolve(loop.body, body)

        var otherwise = body
        otherwise.symbols = Symbols(level: body.symbols.level, frame: body.symbols.frame, parent: context.symbols)
        otherwise.isInLoop = context.isInLoop && !loop.isRecursive
        otherwise.symbols.collect(loop.otherwise)
        try resolve(loop.otherwise, otherwise)
        finish(loop.otherwiseScope, otherwise.symbols)
        finish(loop.bodyScope, body.symbols)
    }

    private mutating func resolve(_ block: SetBlock, _ context: Context) throws(ChatError) {
        let inner = inner(context)
        inner.symbols.collect(block.body)
        if let filter = block.filter { inner.symbols.collect(filter) }
        try resolve(block.body, inner)
        if let filter = block.filter { try resolve(filter, inner) }
        finish(block.scope, inner.symbols)
        try assign(block.target, context, line: block.line)
    }

    private mutating func resolve(_ macro: MacroDefinition, _ context: Context) throws(ChatError) {
        let inner = inner(context, newFrame: true)
        let symbols = inner.symbols
        for parameter in macro.parameters { symbols.declareParameter(parameter.mention.name) }
        for parameter in macro.parameters { if let value = parameter.defaultValue { symbols.collect(value) } }
        symbols.collect(macro.body)

        let explicitCaller = macro.parameters.first { $0.mention.name == "caller" }
        if macro.body.reads("caller") {
            guard explicitCaller == nil || explicitCaller?.defaultValue != nil else {
                throw ChatError(
                    .syntax,
                    "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.",
                    line: macro.line)
            }
            if explicitCaller == nil { symbols.declareParameter("caller") }
            analysis.scopes[macro.scope].takesCaller = true
        }
        func takes(_ name: Text) -> Bool {
            guard macro.body.reads(name), !macro.parameters.contains(where: { $0.mention.name == name }) else {
                return false
            }
            symbols.declareParameter(name)
            return true
        }
        analysis.scopes[macro.scope].takesKeywordRest = takes("kwargs")
        analysis.scopes[macro.scope].takesRest = takes("varargs")

        for parameter in macro.parameters {
            place(parameter.mention, inner)
            if let value = parameter.defaultValue { try resolve(value, inner) }
        }
        let scope = analysis.scopes[macro.scope]
        if scope.takesCaller { place(macro.caller, inner) }
        if scope.takesKeywordRest { place(macro.keywordRest, inner) }
        if scope.takesRest { place(macro.rest, inner) }
        try resolve(macro.body, inner)
        finish(macro.scope, symbols)
    }

    /// A block sees the variables of the template, not those of the regions around it.
    private mutating func resolve(_ block: Block, _ context: Context) throws(ChatError) {
        guard analysis.blocks.updateValue(block, forKey: block.name) == nil else {
            throw ChatError(.syntax, "block \(block.name.quoted) defined twice", line: block.line)
        }
        if block.isScoped {
            analysis.scopes[block.scope].locals = context.symbols.assigned().map { name, depth, slot in
                (name, ScopeAnalysis.Place(hops: context.symbols.frame.depth - depth, slot: slot))
            }
        }
        let symbols = Symbols(level: 0, frame: FrameLayout(depth: 0), parent: nil)
        symbols.collect(block.body)
        try resolve(block.body, Context(symbols: symbols, isInFor: context.isInFor))
        finish(block.scope, symbols)
    }

    // MARK: - Targets and expressions

    private mutating func resolve(_ target: Target, _ context: Context) {
        switch target {
        case .name(let mention), .attribute(let mention, _): place(mention, context)
        case .tuple(let targets): for target in targets { resolve(target, context) }
        }
    }

    private mutating func assign(_ target: Target, _ context: Context, line: Int) throws(ChatError) {
        resolve(target, context)
        switch target {
        case .name(let mention):
            if context.isInFor, mention.name == "loop" {
                throw ChatError(.syntax, "Can't assign to special loop variable in for-loop target", line: line)
            }
            if context.isTopLevel { analysis.exports.insert(mention.id) }
        case .attribute: break
        case .tuple(let targets): for target in targets { try assign(target, context, line: line) }
        }
    }

    private mutating func resolve(_ expression: Expression, _ context: Context) throws(ChatError) {
        var context = context
        switch expression {
        case .name(let mention): place(mention, context)
        case .conditional: context.isConditional = true
        case .filter(_, let call) where call.filter == nil && !context.isConditional:
            throw ChatError(.syntax, "No filter named \(call.name.quoted).", line: call.line)
        case .test(_, let call) where call.test == nil && !context.isConditional:
            throw ChatError(.syntax, "No test named \(call.name.quoted).", line: call.line)
        default: break
        }
        try expression.forEachOperand { (operand) throws(ChatError) in try resolve(operand, context) }
    }
}

extension [Statement] {
    fileprivate var containsScopedBlock: Bool {
        contains { statement in
            switch statement {
            case .block(let block): block.isScoped || block.body.containsScopedBlock
            case .for(let loop): loop.body.containsScopedBlock || loop.otherwise.containsScopedBlock
            case .if(let branches, let otherwise):
                otherwise.containsScopedBlock || branches.contains { $0.body.containsScopedBlock }
            case .with(_, let body, _, _), .filterBlock(_, let body, _, _), .autoescape(_, let body, _, _):
                body.containsScopedBlock
            default: false
            }
        }
    }
}
