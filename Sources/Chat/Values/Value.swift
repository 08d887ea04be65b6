/// A value of the template language, with the meaning that Python gives it.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case int(Int)
    /// An integer that 64 bits do not hold, by its digits: it can be passed on and printed, not computed with.
    case bigInt(Text)
    case float(Double)
    case string(Text)
    case list(ListValue)
    case tuple(ListValue)
    case dict(DictValue)
    /// What `keys()`, `values()` and `items()` of a dict return.
    case view(DictValue, DictPart)
    case range(RangeValue)
    case generator(Generator)
    case namespace(Namespace)
    case cycler(Cycler)
    case loop(LoopState)
    case macro(Macro)
    case function(Function)
}

extension Value {
    /// The name of the Python type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .bigInt: "int"
        case .float: "float"
        case .string(let text): text.isMarkup ? "Markup" : "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .view(_, let part): "dict_\(part.rawValue)"
        case .range: "range"
        case .generator(let generator): generator.typeName
        case .namespace: "Namespace"
        case .cycler: "Cycler"
        case .loop: "LoopContext"
        case .macro: "Macro"
        case .function: "function"
        }
    }

    /// `bool(value)`
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let list), .tuple(let list): !list.items.isEmpty
        case .dict(let dict), .view(let dict, _): !dict.isEmpty
        case .range(let range): range.count > 0
        case .bigInt, .loop, .generator, .namespace, .cycler, .macro, .function: true
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    var extent: Extent {
        switch self {
        case .list(let list), .tuple(let list): list.extent
        case .dict(let dict), .view(let dict, _): dict.extent
        case .generator(let generator): generator.extent
        case .cycler(let cycler): cycler.items.extent
        case .loop(let loop): loop.extent
        case .function(let function): function.extent
        case .string(let text), .bigInt(let text): Extent(nesting: 1, weight: Extent.valueWeight + text.bytes.count)
        case .undefined, .none, .bool, .int, .float, .range, .namespace, .macro: Extent()
        }
    }

    static func string(_ string: String) -> Value { .string(Text(string)) }
    static func list(_ items: [Value]) throws(ChatError) -> Value { .list(try ListValue(items)) }
    static func tuple(_ items: [Value]) throws(ChatError) -> Value { .tuple(try ListValue(items)) }
}

/// How large a value is when all that it holds is written out, however often it holds the same. Bounded where values are made, so
/// that whatever walks a value ends, and does not recurse too deeply.
struct Extent {
    /// How many values are inside each other.
    private(set) var nesting = 1
    /// About the bytes that it takes.
    private(set) var weight = Self.valueWeight

    /// Of a value by itself.
    static let valueWeight = 16
    static let maximumNesting = 200
    static let maximumWeight = 1 << 26

    /// Of a value that holds no others so far.
    init() {}

    fileprivate init(nesting: Int, weight: Int) {
        self.nesting = nesting
        self.weight = weight
    }

    init(around value: Value) throws(ChatError) {
        try add(value)
    }

    mutating func add(_ value: Value) throws(ChatError) {
        let inner = value.extent
        nesting = max(nesting, inner.nesting + 1)
        weight += inner.weight
        guard nesting <= Self.maximumNesting else { throw ChatError(.limit, "values are nested too deeply") }
        guard weight <= Self.maximumWeight else { throw ChatError(.limit, "a value is too large") }
    }
}

/// The items of a list or tuple. The sandbox lets no template change a list.
final class ListValue {
    let items: [Value]
    /// What the items of a named tuple are called.
    let names: [Text]
    let extent: Extent

    init(_ items: [Value], names: [Text] = []) throws(ChatError) {
        var extent = Extent()
        for item in items { try extent.add(item) }
        self.extent = extent
        self.items = items
        self.names = names
    }
}

/// `range(…)`
struct RangeValue {
    let start: Int
    let stop: Int
    let step: Int
    let count: Int

    /// - Throws: where it is empty of sense or longer than the sandbox allows.
    init(start: Int, stop: Int, step: Int) throws(ChatError) {
        guard step != 0 else { throw ChatError(.value, "range() arg 3 must not be zero") }
        let (span, overflow) = stop.subtractingReportingOverflow(start)
        guard !overflow, step != Int.min else { throw Self.tooBig }
        let isEmpty = step > 0 ? span <= 0 : span >= 0
        let count = isEmpty ? 0 : (span.magnitude - 1) / step.magnitude + 1
        guard count <= Self.maximumCount else { throw Self.tooBig }
        (self.start, self.stop, self.step, self.count) = (start, stop, step, Int(count))
    }

    static let maximumCount = 100_000
    private static let tooBig = ChatError(
        .overflow, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (\(maximumCount)).")

    subscript(index: Int) -> Value { .int(start + index * step) }

    /// The number at an index that may also lie just outside.
    func bound(_ index: Int) throws(ChatError) -> Int {
        let offset = try Arithmetic.checked(index.multipliedReportingOverflow(by: step))
        return try Arithmetic.checked(start.addingReportingOverflow(offset))
    }

    var items: [Value] { (0..<count).map { self[$0] } }
}

/// An iterator: its values are made as they are asked for, once.
final class Generator {
    let typeName: String
    /// What its representation says that it is.
    let label: String
    let extent: Extent
    private var step: (() throws(ChatError) -> Value?)?

    /// - Parameters:
    ///   - typeName: The type of iterator; `nil` for a generator function.
    ///   - function: The name of the generator function.
    ///   - source: What the values are made from.
    init(
        _ typeName: String? = nil, function: String = "generator", from source: Value,
        _ step: @escaping () throws(ChatError) -> Value?
    ) throws(ChatError) {
        self.typeName = typeName ?? "generator"
        label = typeName == nil ? "generator object \(function)" : "\(self.typeName) object"
        self.extent = try Extent(around: source)
        self.step = step
    }

    /// The values of an array.
    convenience init(
        _ typeName: String? = nil, function: String = "generator", items: [Value], from source: Value
    ) throws(ChatError) {
        var rest = items[...]
        try self.init(typeName, function: function, from: source) { rest.popFirst() }
    }

    func next() throws(ChatError) -> Value? {
        guard let step else { return nil }
        let value = try step()
        if value == nil { self.step = nil }
        return value
    }
}

/// `namespace(…)`: the one kind of value that a template can change.
final class Namespace {
    var attributes: OrderedMap<Text, Value>
    init(_ attributes: OrderedMap<Text, Value>) { self.attributes = attributes }
}

/// `cycler(…)`
final class Cycler {
    let items: ListValue
    var position = 0
    init(_ items: ListValue) { self.items = items }
}

/// Something to call: a function of the engine, or a method bound to its receiver.
final class Function {
    typealias Body = (Interpreter, CallArguments) throws(ChatError) -> Value

    let name: Text
    let extent: Extent
    let body: Body

    init(_ name: Text, on receiver: Value = .none, _ body: @escaping Body) throws(ChatError) {
        self.name = name
        self.extent = try Extent(around: receiver)
        self.body = body
    }
}

/// The arguments of a call.
struct CallArguments {
    var positional: [Value] = []
    var keyword: [(name: Text, value: Value)] = []
}
