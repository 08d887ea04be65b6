// Filters that apply other filters and tests, item by item and only as they are asked for items.

extension Filter {
    static let selections: [Filter] = [
        Filter("map", .any) { (interpreter, value, arguments) throws(ChatError) in
            try mapped(value, arguments.call, interpreter)
        },
        Filter("select", .any) { (interpreter, value, arguments) throws(ChatError) in
            try selected(value, arguments.call, byAttribute: false, keeps: true, interpreter)
        },
        Filter("reject", .any) { (interpreter, value, arguments) throws(ChatError) in
            try selected(value, arguments.call, byAttribute: false, keeps: false, interpreter)
        },
        Filter("selectattr", .any) { (interpreter, value, arguments) throws(ChatError) in
            try selected(value, arguments.call, byAttribute: true, keeps: true, interpreter)
        },
        Filter("rejectattr", .any) { (interpreter, value, arguments) throws(ChatError) in
            try selected(value, arguments.call, byAttribute: true, keeps: false, interpreter)
        },
    ]

    /// The items of a value that are asked for one by one. As in Python, a value that is false has none, and what cannot be
    /// iterated fails at the first.
    private static func lazily<State>(
        _ value: Value, function: String, _ interpreter: Interpreter,
        _ prepare: @escaping () throws(ChatError) -> State,
        _ next: @escaping (inout Iteration, State) throws(ChatError) -> Value?
    ) throws(ChatError) -> Value {
        var started: (iteration: Iteration, state: State)?
        return .generator(
            try Generator(function: function, from: value) { () throws(ChatError) in
                if started == nil {
                    guard value.isTrue else { return nil }
                    let state = try prepare()
                    started = (try Iteration.over(value, interpreter), state)
                }
                guard case (var iteration, let state)? = started else { return nil }
                let item = try next(&iteration, state)
                started = (iteration, state)
                return item
            })
    }

    private static func mapped(_ value: Value, _ call: CallArguments, _ interpreter: Interpreter) throws(ChatError)
        -> Value
    {
        try lazily(value, function: "sync_do_map", interpreter) { () throws(ChatError) in
            try mapping(call, interpreter)
        } _: { (iteration, function) throws(ChatError) in
            try interpreter.spend(1)
            guard let item = try iteration.next() else { return nil }
            return try function(item)
        }
    }

    private typealias Mapping = (Value) throws(ChatError) -> Value

    private static func mapping(_ call: CallArguments, _ interpreter: Interpreter) throws(ChatError) -> Mapping {
        var keyword = call.keyword
        if call.positional.isEmpty, let index = keyword.firstIndex(where: { $0.name == "attribute" }) {
            let attribute = keyword.remove(at: index).value
            let defaultIndex = keyword.firstIndex { $0.name == "default" }
            let defaultValue = defaultIndex.map { keyword.remove(at: $0).value }
            if let (unknown, _) = keyword.first {
                throw ChatError(.filterArgument, "Unexpected keyword argument \(unknown.quoted)")
            }
            if case .none = attribute { return { item in item } }
            let path = AttributePath(attribute)
            return { (item) throws(ChatError) in try path.value(in: item, default: defaultValue, interpreter) }
        }
        guard let first = call.positional.first else {
            throw ChatError(.filterArgument, "map requires a filter argument")
        }
        guard case .string(let name) = first, let filter = Filter.named[name] else {
            throw ChatError(.runtime, "No filter named \(first.representation).")
        }
        let arguments = CallArguments(positional: Array(call.positional.dropFirst()), keyword: keyword)
        return { (item) throws(ChatError) in try interpreter.apply(filter, to: item, arguments) }
    }

    private static func selected(
        _ value: Value, _ call: CallArguments, byAttribute: Bool, keeps: Bool, _ interpreter: Interpreter
    ) throws(ChatError) -> Value {
        try lazily(value, function: "select_or_reject", interpreter) { () throws(ChatError) in
            try condition(call, byAttribute: byAttribute, interpreter)
        } _: { (iteration, holds) throws(ChatError) in
            while let item = try iteration.next() {
                try interpreter.spend(1)
                if try holds(item) == keeps { return item }
            }
            return nil
        }
    }

    private typealias Condition = (Value) throws(ChatError) -> Bool

    private static func condition(
        _ call: CallArguments, byAttribute: Bool, _ interpreter: Interpreter
    ) throws(ChatError) -> Condition {
        var positional = call.positional[...]
        var path: AttributePath?
        if byAttribute {
            guard let attribute = positional.popFirst() else {
                throw ChatError(.filterArgument, "Missing parameter for attribute name")
            }
            path = AttributePath(attribute)
        }
        func subject(_ item: Value) throws(ChatError) -> Value { try path?.value(in: item, interpreter) ?? item }
        guard let first = positional.popFirst() else {
            return { (item) throws(ChatError) in try subject(item).isTrue }
        }
        guard case .string(let name) = first, let test = Test.named[name] else {
            throw ChatError(.runtime, "No test named \(first.representation).")
        }
        let arguments = CallArguments(positional: Array(positional), keyword: call.keyword)
        return { (item) throws(ChatError) in try interpreter.apply(test, to: try subject(item), arguments) }
    }
}
