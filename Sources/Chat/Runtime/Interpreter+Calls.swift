extension Interpreter {
    /// - Parameter caller: The body of a `call`, which is handed on by that name.
    func evaluateCall(
        _ callee: Expression, _ arguments: Arguments, caller: Value?, _ frame: Frame
    ) throws(ChatError) -> Value {
        // A method is called without being made a value first.
        if case .attribute(let operand, let name) = callee {
            let receiver = try evaluate(operand, frame)
            if let method = BoundMethod(name, of: receiver) {
                let arguments = try self.arguments(arguments, caller: caller, frame)
                return try method.call(self, arguments)
            }
            let function = try attribute(name, of: receiver)
            return try call(function, try self.arguments(arguments, caller: caller, frame))
        }
        let function = try evaluate(callee, frame)
        return try call(function, try self.arguments(arguments, caller: caller, frame))
    }

    func arguments(_ arguments: Arguments, caller: Value? = nil, _ frame: Frame) throws(ChatError) -> CallArguments {
        var result = CallArguments()
        result.positional.reserveCapacity(arguments.positional.count)
        for argument in arguments.positional { result.positional.append(try evaluate(argument, frame)) }
        for (name, value) in arguments.keyword { result.keyword.append((name, try evaluate(value, frame))) }
        if let caller { result.keyword.append(("caller", caller)) }
        if let rest = arguments.rest { result.positional += try evaluate(rest, frame).collected(self) }
        if let rest = arguments.keywordRest {
            guard case .dict(let dict) = try evaluate(rest, frame) else {
                throw ChatError(.type, "argument after ** must be a mapping")
            }
            for (key, value) in dict.entries {
                guard case .string(let name) = key else { throw ChatError(.type, "keywords must be strings") }
                guard !result.keyword.contains(where: { $0.name == name }) else {
                    throw ChatError(.type, "got multiple values for keyword argument \(name.quoted)")
                }
                result.keyword.append((name, value))
            }
        }
        return result
    }

    func call(_ callee: Value, _ arguments: CallArguments) throws(ChatError) -> Value {
        switch callee {
        case .function(let function): return try counted(try function.body(self, arguments))
        case .macro(let macro): return try invoke(macro, arguments)
        case .undefined(let undefined): throw undefined.error
        case .loop(let loop):
            guard let recursion = loop.recursion else {
                throw ChatError(.type, "The loop must have the 'recursive' marker to be called recursively.")
            }
            guard let items = arguments.positional.first, arguments.positional.count == 1 else {
                throw ChatError(.type, "loop() takes one argument")
            }
            return try recursion(items, loop.depth0 + 1)
        default: throw ChatError(.type, "'\(callee.typeName)' object is not callable")
        }
    }

    /// The output of a macro.
    func invoke(_ macro: Macro, _ arguments: CallArguments) throws(ChatError) -> Value {
        let definition = macro.definition
        let scope = analysis.scopes[definition.scope]
        let frame = Frame(slotCount: scope.slotCount, outer: macro.frame)
        var keyword = arguments.keyword
        func take(_ name: Text) -> Value? {
            keyword.firstIndex { $0.name == name }.map { keyword.remove(at: $0).value }
        }

        let given = min(arguments.positional.count, definition.parameters.count)
        for (index, parameter) in definition.parameters.enumerated() {
            let value = index < given ? arguments.positional[index] : take(parameter.mention.name)
            frame[analysis.places[parameter.mention.id]] = value
        }
        if scope.takesCaller, !definition.parameters.contains(where: { $0.mention.name == "caller" }) {
            let caller = take("caller") ?? .undefined(.hint("No caller defined"))
            frame[analysis.places[definition.caller.id]] = caller
        }
        try bindRest(of: macro, arguments, keyword, frame)

        start(definition.scope, frame)
        for parameter in definition.parameters {
            let place = analysis.places[parameter.mention.id]
            guard frame[place] == nil else { continue }
            if let value = parameter.defaultValue {
                frame[place] = try evaluate(value, frame)
            } else {
                frame[place] = .undefined(.hint("parameter \(parameter.mention.name.quoted) was not provided"))
            }
        }
        let (text, _) = try capture { () throws(ChatError) in try execute(definition.body, frame) }
        return .string(text)
    }

    /// Arguments that no parameter takes.
    private func bindRest(
        of macro: Macro, _ arguments: CallArguments, _ keyword: [(name: Text, value: Value)], _ frame: Frame
    ) throws(ChatError) {
        let definition = macro.definition
        let scope = analysis.scopes[definition.scope]
        let name = macro.name.map(\.quoted) ?? "None"
        if scope.takesKeywordRest {
            let entries = keyword.map { (key: Value.string($0.name), value: $0.value) }
            frame[analysis.places[definition.keywordRest.id]] = .dict(try DictValue(entries))
        } else if let (unknown, _) = keyword.first {
            if keyword.contains(where: { $0.name == "caller" }) {
                throw ChatError(
                    .type,
                    "macro \(name) was invoked with two values for the special caller argument. This is most likely a bug."
                )
            }
            throw ChatError(.type, "macro \(name) takes no keyword argument \(unknown.quoted)")
        }
        let rest = arguments.positional.dropFirst(definition.parameters.count)
        if scope.takesRest {
            frame[analysis.places[definition.rest.id]] = try .tuple(Array(rest))
        } else if !rest.isEmpty {
            throw ChatError(.type, "macro \(name) takes not more than \(definition.parameters.count) argument(s)")
        }
    }
}
