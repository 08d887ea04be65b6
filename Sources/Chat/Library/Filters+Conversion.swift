// Filters that give another value for a value: defaults, attributes, JSON.

extension Filter {
    static let conversions: [Filter] = [
        Filter("default", .parameters("default_value", "boolean")) { _, value, arguments in
            defaulted(value, arguments)
        },
        Filter("d", .parameters("default_value", "boolean")) { _, value, arguments in
            defaulted(value, arguments)
        },
        Filter("attr", .parameters("name", required: 1)) { (interpreter, value, arguments) throws(ChatError) in
            let name = try arguments.text(0)
            if case .undefined(let undefined) = value { throw undefined.error }
            return try interpreter.ownAttribute(name, of: value)
                ?? .undefined(.attribute(name, of: value.objectDescription))
        },
        // As transformers has it: not escaped for HTML, with the options of Python's `json.dumps`.
        Filter("tojson", .parameters("ensure_ascii", "indent", "separators", "sort_keys")) {
            (interpreter, value, arguments) throws(ChatError) in
            var style = JSONStyle()
            style.escapesNonASCII = arguments.truth(0)
            style.sortsKeys = arguments.truth(3)
            switch arguments.optional(1) {
            case nil: break
            case .string(let text): style.indentation = text
            case .some(let value):
                let width = max(0, try value.requiredInt)
                try interpreter.reserve(width)
                style.indentation = Text(String(repeating: " ", count: width))
            }
            if style.indentation != nil { style.itemSeparator = "," }
            if let separators = arguments.optional(2) {
                let texts = try separators.collected(interpreter)
                guard texts.count == 2 else { throw ChatError(.value, "separators has to be a pair") }
                style.itemSeparator = try texts[0].requiredText
                style.keySeparator = try texts[1].requiredText
            }
            return .string(try JSONDump.text(value, style, interpreter))
        },
    ]

    private static func defaulted(_ value: Value, _ arguments: Bound) -> Value {
        value.isUndefined || arguments.truth(1) && !value.isTrue ? arguments[0] ?? .string("") : value
    }
}
