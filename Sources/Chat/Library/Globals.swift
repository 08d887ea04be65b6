/// The functions that every template has.
enum Globals {
    private static let functions:
        [(name: Text, signature: Signature, body: @Sendable (Interpreter, Bound) throws(ChatError) -> Value)] =
            [
                (
                    "raise_exception", .parameters("message", required: 1),
                    { (_, arguments) throws(ChatError) in
                        throw ChatError(.raised, try arguments.value(0).text.string)
                    }
                ),
                (
                    "strftime_now", .parameters("format", required: 1),
                    { (interpreter, arguments) throws(ChatError) in
                        .string(Text(try interpreter.now.formatted(try arguments.text(0).string)))
                    }
                ),
                (
                    "range", .positional("start", "stop", "step", required: 1),
                    { (_, arguments) throws(ChatError) in
                        let first = try arguments.value(0).requiredInt
                        let last = try arguments[1]?.requiredInt
                        let step = try arguments.int(2, default: 1)
                        return .range(try RangeValue(start: last == nil ? 0 : first, stop: last ?? first, step: step))
                    }
                ),
                (
                    "dict", .any,
                    { (interpreter, arguments) throws(ChatError) in
                        .dict(try DictValue(try pairs(arguments.call, interpreter)))
                    }
                ),
                (
                    "namespace", .any,
                    { (interpreter, arguments) throws(ChatError) in
                        var attributes = OrderedMap<Text, Value>()
                        for (key, value) in try pairs(arguments.call, interpreter) {
                            attributes[try key.requiredText] = value
                        }
                        let namespace = Namespace(attributes)
                        interpreter.register(namespace)
                        return .namespace(namespace)
                    }
                ),
                (
                    "cycler", .any,
                    { (_, arguments) throws(ChatError) in
                        guard !arguments.call.positional.isEmpty else {
                            throw ChatError(.runtime, "at least one item has to be provided")
                        }
                        return .cycler(Cycler(try ListValue(arguments.call.positional)))
                    }
                ),
                (
                    "joiner", .parameters("sep"),
                    { (_, arguments) throws(ChatError) in
                        let separator = arguments[0] ?? .string(", ")
                        var isUsed = false
                        return .function(
                            try Function("joiner", on: separator) { _, _ in
                                defer { isUsed = true }
                                return isUsed ? separator : .string("")
                            })
                    }
                ),
            ]

    /// By their names.
    static func values() throws(ChatError) -> [Text: Value] {
        var values: [Text: Value] = [:]
        for (name, signature, body) in functions {
            let function = try Function(name) { (interpreter, call) throws(ChatError) in
                try body(interpreter, try signature.bind(call, to: name))
            }
            values[name] = .function(function)
        }
        return values
    }

    /// The arguments of `dict(…)`: a dict or pairs, and names.
    private static func pairs(
        _ call: CallArguments, _ interpreter: Interpreter
    ) throws(ChatError) -> [(key: Value, value: Value)] {
        guard call.positional.count <= 1 else {
            throw ChatError(.type, "dict expected at most 1 argument, got \(call.positional.count)")
        }
        var pairs: [(key: Value, value: Value)] = []
        switch call.positional.first {
        case nil: break
        case .dict(let dict): pairs = dict.entries
        case .some(let value):
            for item in try value.collected(interpreter) {
                let parts = try item.collected(interpreter)
                guard parts.count == 2 else {
                    throw ChatError(
                        .value, "dictionary update sequence element has length \(parts.count); 2 is required")
                }
                pairs.append((parts[0], parts[1]))
            }
        }
        return pairs + call.keyword.map { (.string($0.name), $0.value) }
    }
}
