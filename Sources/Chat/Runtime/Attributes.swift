// `value.name` and `value[key]`: Python's attributes, items instead where there are none, and what the sandbox refuses.

extension Interpreter {
    /// `value.name`: an attribute, or else an item of that name.
    func attribute(_ name: Text, of value: Value) throws(ChatError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        if let attribute = try ownAttribute(name, of: value) { return attribute }
        if case .dict(let dict) = value, let item = dict[name] { return item }
        return .undefined(.attribute(name, of: value.objectDescription))
    }

    /// `value[key]`: an item, or else an attribute of that name.
    func item(_ key: Value, of value: Value) throws(ChatError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        if let item = try ownItem(key, of: value) { return item }
        guard case .string(let name) = key else {
            return .undefined(.element(key.representation, of: value.objectDescription))
        }
        if let attribute = try ownAttribute(name, of: value) { return attribute }
        return .undefined(.attribute(name, of: value.objectDescription))
    }

    /// A path of attributes as filters take it: names with dots between them, digits for indices.
    func value(at path: [Value], in value: Value, default defaultValue: Value? = nil) throws(ChatError) -> Value {
        var value = value
        for part in path {
            value = try item(part, of: value)
            if value.isUndefined, let defaultValue, !isNone(defaultValue) { value = defaultValue }
        }
        return value
    }

    private func isNone(_ value: Value) -> Bool {
        if case .none = value { true } else { false }
    }

    // MARK: - Items

    /// `value[key]`, or `nil` where Python has a `TypeError` or `LookupError`.
    private func ownItem(_ key: Value, of value: Value) throws(ChatError) -> Value? {
        switch value {
        case .dict(let dict): return (try? DictKey(key)).flatMap { dict[$0] }
        case .list(let list), .tuple(let list): return index(key, count: list.items.count).map { list.items[$0] }
        case .string(let text):
            return index(key, count: text.count).map { .string(text.slice($0..<$0 + 1)) }
        case .range(let range): return index(key, count: range.count).map { range[$0] }
        default: return nil
        }
    }

    private func index(_ key: Value, count: Int) -> Int? {
        guard case .int(let index) = Number(key) else { return nil }
        let position = index < 0 ? count + index : index
        return position >= 0 && position < count ? position : nil
    }

    // MARK: - Attributes

    /// `getattr(value, name)` as the sandbox gives it out, or `nil` where there is none.
    func ownAttribute(_ name: Text, of value: Value) throws(ChatError) -> Value? {
        if let method = BoundMethod(name, of: value) { return try method.value() }
        if Self.commonAttributes.contains(name) || changes(name, value) {
            return .undefined(.unsafe(name, type: value.typeName))
        }
        guard let attribute = try dataAttribute(name, of: value) else { return nil }
        return name.hasPrefix("_") ? .undefined(.unsafe(name, type: value.typeName)) : attribute
    }

    private func dataAttribute(_ name: Text, of value: Value) throws(ChatError) -> Value? {
        switch value {
        case .namespace(let namespace): return namespace.attributes[name]
        case .loop(let loop): return try loop.attribute(name)
        case .cycler(let cycler): return try cycler.attribute(name)
        case .macro(let macro): return try self.attribute(name, of: macro)
        case .int, .bool, .float: return Self.numberAttribute(name, Number(value))
        case .range(let range):
            switch name {
            case "start": return .int(range.start)
            case "stop": return .int(range.stop)
            case "step": return .int(range.step)
            default: return nil
            }
        case .tuple(let list): return list.names.firstIndex(of: name).map { list.items[$0] }
        case .undefined, .none, .bigInt, .string, .list, .dict, .view, .generator, .function: return nil
        }
    }

    private static func numberAttribute(_ name: Text, _ number: Number?) -> Value? {
        switch (name, number) {
        case ("real", .int(let value)), ("numerator", .int(let value)): .int(value)
        case ("imag", .int): .int(0)
        case ("denominator", .int): .int(1)
        case ("real", .float(let value)): .float(value)
        case ("imag", .float): .float(0)
        default: nil
        }
    }

    private func attribute(_ name: Text, of macro: Macro) throws(ChatError) -> Value? {
        let scope = analysis.scopes[macro.definition.scope]
        switch name {
        case "name": return macro.name.map { .string($0) } ?? Value.none
        case "arguments": return try .tuple(macro.definition.parameters.map { .string($0.mention.name) })
        case "catch_kwargs": return .bool(scope.takesKeywordRest)
        case "catch_varargs": return .bool(scope.takesRest)
        case "caller": return .bool(scope.takesCaller)
        case "explicit_caller": return .bool(macro.definition.parameters.contains { $0.mention.name == "caller" })
        default: return nil
        }
    }

    // MARK: - What the sandbox refuses

    /// Methods that would change their receiver.
    private func changes(_ name: Text, _ value: Value) -> Bool {
        switch value {
        case .list: ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"].contains(name)
        case .dict: ["clear", "pop", "popitem", "setdefault", "update"].contains(name)
        default: false
        }
    }

    /// Attributes of every Python object.
    private static let commonAttributes: Set<Text> = [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__",
        "__getstate__", "__gt__", "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__",
        "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__", "__str__", "__subclasshook__",
    ]
}

extension Cycler {
    func attribute(_ name: Text) throws(ChatError) -> Value? {
        switch name {
        case "current": items.items[position]
        case "items": .tuple(items)
        case "pos": .int(position)
        case "next":
            .function(
                try Function("next", on: .cycler(self)) { (_, _) throws(ChatError) in
                    defer { self.position = (self.position + 1) % self.items.items.count }
                    return self.items.items[self.position]
                })
        case "reset":
            .function(
                try Function("reset", on: .cycler(self)) { (_, _) throws(ChatError) in
                    self.position = 0
                    return .none
                })
        default: nil
        }
    }
}
