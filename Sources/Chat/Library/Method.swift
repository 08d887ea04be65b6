/// A method of a type of values: `receiver.name(…)`.
struct Method<Receiver>: Sendable {
    typealias Body = @Sendable (Interpreter, Receiver, Bound) throws(ChatError) -> Value

    let name: Text
    let signature: Signature
    let body: Body

    init(_ name: Text, _ signature: Signature = .positional(), _ body: @escaping Body) {
        self.name = name
        self.signature = signature
        self.body = body
    }

    static func table(_ methods: [Method]) -> [Text: Method] {
        Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0) })
    }
}

/// A method and the value that it was taken from.
struct BoundMethod {
    private let name: Text
    private let receiver: Value
    private let invoke: (Interpreter, CallArguments) throws(ChatError) -> Value

    /// `nil` where the value has no such method, or the sandbox does not give it out.
    init?(_ name: Text, of value: Value) {
        switch value {
        case .string(let text): self.init(TextMethods.named[name], value, text)
        case .dict(let dict): self.init(CollectionMethods.ofDicts[name], value, dict)
        case .list(let list): self.init(CollectionMethods.ofLists[name], value, list)
        case .tuple(let list): self.init(CollectionMethods.ofTuples[name], value, list)
        case .int, .bool, .float:
            guard let number = Number(value) else { return nil }
            self.init(NumberMethods.named[name], value, number)
        default: return nil
        }
    }

    private init?<Receiver>(_ method: Method<Receiver>?, _ value: Value, _ receiver: Receiver) {
        guard let method else { return nil }
        name = method.name
        self.receiver = value
        invoke = { (interpreter, call) throws(ChatError) in
            try method.body(interpreter, receiver, try method.signature.bind(call, to: method.name))
        }
    }

    func call(_ interpreter: Interpreter, _ arguments: CallArguments) throws(ChatError) -> Value {
        try interpreter.countReading(receiver)
        return try interpreter.counted(try invoke(interpreter, arguments))
    }

    /// The method as a value.
    func value() throws(ChatError) -> Value {
        .function(
            try Function(
                name, on: receiver, { (interpreter, call) throws(ChatError) in try self.call(interpreter, call) }))
    }
}

/// Methods of `list`, `tuple` and `dict` that do not change them.
enum CollectionMethods {
    static let ofDicts = Method<DictValue>.table([
        Method("get", .positional("key", "default", required: 1)) { (_, dict, arguments) throws(ChatError) in
            dict[try DictKey(try arguments.value(0))] ?? arguments[1] ?? .none
        },
        Method("keys") { _, dict, _ in .view(dict, .keys) },
        Method("values") { _, dict, _ in .view(dict, .values) },
        Method("items") { _, dict, _ in .view(dict, .items) },
        Method("copy") { (_, dict, _) throws(ChatError) in .dict(try DictValue(dict.entries)) },
        Method("fromkeys", .positional("keys", "value", required: 1)) { (interpreter, _, arguments) throws(ChatError) in
            let keys = try arguments.value(0).collected(interpreter)
            return .dict(try DictValue(keys.map { ($0, arguments[1] ?? .none) }))
        },
    ])

    static let ofLists = Method<ListValue>.table(
        reading + [
            Method("copy") { (_, list, _) throws(ChatError) in try .list(list.items) }
        ])

    static let ofTuples = Method<ListValue>.table(reading)

    private static let reading: [Method<ListValue>] = [
        Method("count", .positional("value", required: 1)) { (interpreter, list, arguments) throws(ChatError) in
            try interpreter.spend(list.items.count + list.extent.weight >> 6)
            let value = try arguments.value(0)
            return .int(list.items.count { Value.isEqual($0, value) })
        },
        Method("index", .positional("value", "start", "stop", required: 1)) {
            (interpreter, list, arguments) throws(ChatError) in
            try interpreter.spend(list.items.count + list.extent.weight >> 6)
            let value = try arguments.value(0)
            let range = try TextRange(arguments, at: 1, count: list.items.count)
            guard let index = list.items[range.range].firstIndex(where: { Value.isEqual($0, value) }) else {
                throw ChatError(.value, "\(value.representation) is not in list")
            }
            return .int(index)
        },
    ]
}

/// Methods of numbers.
enum NumberMethods {
    static let named = Method<Number>.table([
        Method("conjugate") { _, number, _ in
            switch number {
            case .int(let value): .int(value)
            case .float(let value): .float(value)
            }
        },
        Method("is_integer") { (_, number, _) throws(ChatError) in
            guard case .float(let value) = number else {
                throw ChatError(.undefined, "'int object' has no attribute 'is_integer'")
            }
            return .bool(value == value.rounded())
        },
        Method("bit_length") { (_, number, _) throws(ChatError) in
            guard case .int(let value) = number else {
                throw ChatError(.undefined, "'float object' has no attribute 'bit_length'")
            }
            return .int(Int.bitWidth - value.magnitude.leadingZeroBitCount)
        },
    ])
}

/// The part of a sequence that optional `start` and `stop` arguments name.
struct TextRange {
    let range: Range<Int>
    /// Whether `start` lies behind the end, where not even nothing is found.
    let isBehindEnd: Bool

    init(_ arguments: Bound, at index: Int, count: Int) throws(ChatError) {
        func bound(_ index: Int, default defaultValue: Int) throws(ChatError) -> Int {
            let value = try arguments.optional(index)?.requiredInt ?? defaultValue
            return value < 0 ? max(0, max(value, -count) + count) : value
        }
        let start = try bound(index, default: 0)
        let stop = min(try bound(index + 1, default: count), count)
        isBehindEnd = start > count || start > stop
        range = isBehindEnd ? count..<count : start..<stop
    }
}
