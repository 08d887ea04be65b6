/// The options of Python's `json.dumps`.
struct JSONStyle {
    var escapesNonASCII = false
    /// Puts every item on a line of its own.
    var indentation: Text?
    var itemSeparator: Text = ", "
    var keySeparator: Text = ": "
    var sortsKeys = false
}

/// `json.dumps(value)`
struct JSONDump {
    private let style: JSONStyle
    private let interpreter: Interpreter
    private var bytes: [UInt8] = []
    private var depth = 0

    static func text(_ value: Value, _ style: JSONStyle, _ interpreter: Interpreter) throws(ChatError) -> Text {
        var dump = JSONDump(style: style, interpreter: interpreter)
        try dump.write(value)
        return Text(bytes: dump.bytes)
    }

    private init(style: JSONStyle, interpreter: Interpreter) {
        self.style = style
        self.interpreter = interpreter
    }

    private mutating func write(_ value: Value) throws(ChatError) {
        switch value {
        case .none: bytes.append("null")
        case .bool(let value): bytes.append(value ? "true" : "false")
        case .int(let value): bytes.append(String(value))
        case .bigInt(let digits): bytes += digits.bytes
        case .float(let value): bytes.append(Self.text(value))
        case .string(let text): write(text)
        case .list(let list), .tuple(let list):
            try write(list.items, from: "[", to: "]") { (_, item) throws(ChatError) in item }
        case .dict(let dict): try write(dict)
        case .undefined, .view, .range, .generator, .namespace, .cycler, .loop, .macro, .function:
            throw ChatError(.type, "Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private mutating func write(_ dict: DictValue) throws(ChatError) {
        var entries: [(key: Value, value: Value)] = dict.entries
        if style.sortsKeys {
            let order = try Sorting.order(entries.map(\.key), isReversed: false, interpreter)
            entries = order.map { entries[$0] }
        }
        try write(entries, from: "{", to: "}") { (dump, entry) throws(ChatError) in
            dump.write(try Self.key(entry.key))
            dump.bytes += dump.style.keySeparator.bytes
            return entry.value
        }
    }

    private mutating func write<Item>(
        _ items: [Item], from opening: String, to closing: String,
        value: (inout JSONDump, Item) throws(ChatError) -> Value
    ) throws(ChatError) {
        bytes.append(opening)
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { bytes += style.itemSeparator.bytes }
            try breakLine()
            try write(try value(&self, item))
        }
        depth -= 1
        if !items.isEmpty { try breakLine() }
        bytes.append(closing)
    }

    private mutating func breakLine() throws(ChatError) {
        guard let indentation = style.indentation else { return }
        try interpreter.reserve(indentation.bytes.count, times: depth)
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes += indentation.bytes }
    }

    private static func key(_ key: Value) throws(ChatError) -> Text {
        switch key {
        case .string(let text): return text
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int, .bigInt: return key.text
        case .float(let value): return Text(text(value))
        default: throw ChatError(.type, "keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private static func text(_ value: Double) -> String {
        if value.isFinite { return value.pythonDescription }
        return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    private mutating func write(_ text: Text) {
        bytes.append(UInt8(ascii: "\""))
        if !style.escapesNonASCII, text.bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
            bytes += text.bytes
            bytes.append(UInt8(ascii: "\""))
            return
        }
        for scalar in text.scalars {
            switch scalar {
            case "\"": bytes.append("\\\"")
            case "\\": bytes.append("\\\\")
            case "\n": bytes.append("\\n")
            case "\r": bytes.append("\\r")
            case "\t": bytes.append("\\t")
            case "\u{8}": bytes.append("\\b")
            case "\u{C}": bytes.append("\\f")
            default:
                if scalar.value < 0x20 || style.escapesNonASCII && scalar.value > 0x7E {
                    for unit in UTF16.encode(scalar) ?? .init() { bytes.append("\\u" + unit.hex(4)) }
                } else {
                    bytes.append(scalar)
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
