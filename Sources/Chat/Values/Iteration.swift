/// Goes through the values that a `for` or a filter gets from a value.
enum Iteration {
    case items(ArraySlice<Value>)
    /// From a byte offset on.
    case characters(Text, Int)
    case lazy(Generator)

    /// `iter(value)`, or `nil` for what cannot be iterated.
    init?(_ value: Value) throws(ChatError) {
        switch value {
        case .undefined: self = .items([])
        case .string(let text): self = .characters(text, 0)
        case .list(let list), .tuple(let list): self = .items(list.items[...])
        case .dict(let dict): self = .items(dict.keys[...])
        case .view(let dict, let part): self = .items(try part.elements(of: dict)[...])
        case .range(let range): self = .items(range.items[...])
        case .generator(let generator): self = .lazy(generator)
        case .loop(let loop):
            let advance: () throws(ChatError) -> Value? = { () throws(ChatError) in
                guard let item = try loop.advance() else { return nil }
                return try .tuple([item, .loop(loop)])
            }
            self = .lazy(try Generator("LoopContext", from: .none, advance))
        case .none, .bool, .int, .bigInt, .float, .namespace, .cycler, .macro, .function: return nil
        }
    }

    /// `iter(value)`
    static func over(_ value: Value, _ interpreter: Interpreter) throws(ChatError) -> Iteration {
        switch value {
        case .dict, .view, .range: try interpreter.spend((try value.length() ?? 0) >> 2)
        default: break
        }
        guard let iteration = try Iteration(value) else {
            throw ChatError(.type, "'\(value.typeName)' object is not iterable")
        }
        return iteration
    }

    mutating func next() throws(ChatError) -> Value? {
        switch self {
        case .lazy(let generator): return try generator.next()
        case .items(var rest):
            self = .items([])
            let item = rest.popFirst()
            self = .items(rest)
            return item
        case .characters(let text, let offset):
            guard offset < text.bytes.count else { return nil }
            let end = offset + text.bytes.scalarLength(at: offset)
            self = .characters(text, end)
            return .string(Text(bytes: text.bytes[offset..<end]))
        }
    }

    /// All that is left.
    consuming func collect(_ interpreter: Interpreter) throws(ChatError) -> [Value] {
        switch self {
        case .items(let rest):
            try interpreter.spend(rest.count >> 2)
            return Array(rest)
        case .characters(let text, _):
            try interpreter.reserve(Text.overhead, times: text.bytes.count)
            return text.characters.map { .string($0) }
        case .lazy(let generator):
            var items: [Value] = []
            while let item = try generator.next() {
                try interpreter.spend(1)
                items.append(item)
            }
            return items
        }
    }
}

extension Value {
    /// `list(value)`
    func collected(_ interpreter: Interpreter) throws(ChatError) -> [Value] {
        if case .list(let list) = self { return list.items }
        return try Iteration.over(self, interpreter).collect(interpreter)
    }

    /// `len(value)`, or `nil` for what has none.
    func length() throws(ChatError) -> Int? {
        switch self {
        case .undefined: 0
        case .string(let text): text.count
        case .list(let list), .tuple(let list): list.items.count
        case .dict(let dict), .view(let dict, _): dict.count
        case .range(let range): range.count
        case .loop(let loop): try loop.length()
        case .none, .bool, .int, .bigInt, .float, .generator, .namespace, .cycler, .macro, .function: nil
        }
    }
}
