/// A map that keeps the order in which keys were first set.
struct OrderedMap<Key: Hashable, Element> {
    private(set) var entries: [(key: Key, element: Element)] = []
    /// Only for maps that are too long to search entry by entry.
    private var positions: [Key: Int] = [:]

    private static var searchedCount: Int { 8 }

    func position(of key: Key) -> Int? {
        entries.count > Self.searchedCount ? positions[key] : entries.firstIndex { $0.key == key }
    }

    subscript(key: Key) -> Element? {
        get { position(of: key).map { entries[$0].element } }
        set {
            guard let newValue else { return }
            if let position = position(of: key) {
                entries[position].element = newValue
                return
            }
            entries.append((key, newValue))
            if entries.count == Self.searchedCount + 1 {
                for (position, entry) in entries.enumerated() { positions[entry.key] = position }
            } else if entries.count > Self.searchedCount {
                positions[key] = entries.count - 1
            }
        }
    }

    mutating func removeAll() {
        entries = []
        positions = [:]
    }
}

/// What makes two dict keys the same: numbers of all types are compared by value.
enum DictKey: Hashable {
    case none, undefined
    case int(Int)
    case bigInt(Text)
    case float(Double)
    case string(Text)
    case tuple([DictKey])
    case object(ObjectIdentifier)

    init(_ value: Value) throws(ChatError) {
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .bool(let value): self = .int(value ? 1 : 0)
        case .int(let value): self = .int(value)
        case .bigInt(let digits): self = .bigInt(digits)
        case .float(let value): self = Int(exactly: value).map { .int($0) } ?? .float(value)
        case .string(let text): self = .string(text)
        case .tuple(let list):
            var keys: [DictKey] = []
            for item in list.items { keys.append(try DictKey(item)) }
            self = .tuple(keys)
        case .namespace(let object): self = .object(ObjectIdentifier(object))
        case .generator(let object): self = .object(ObjectIdentifier(object))
        case .cycler(let object): self = .object(ObjectIdentifier(object))
        case .loop(let object): self = .object(ObjectIdentifier(object))
        case .macro(let object): self = .object(ObjectIdentifier(object))
        case .function(let object): self = .object(ObjectIdentifier(object))
        case .range(let range): self = .tuple([.int(range.count), .int(range.start), .int(range.step)])
        case .list, .dict, .view: throw ChatError(.type, "unhashable type: '\(value.typeName)'")
        }
    }
}

/// A dict. The sandbox lets no template change one.
final class DictValue {
    private let map: OrderedMap<DictKey, (key: Value, value: Value)>
    let extent: Extent

    /// Of keys that occur twice the first stays, with the last value.
    init(_ entries: [(key: Value, value: Value)]) throws(ChatError) {
        var map = OrderedMap<DictKey, (key: Value, value: Value)>()
        var extent = Extent()
        for (key, value) in entries {
            let identity = try DictKey(key)
            map[identity] = (map[identity]?.key ?? key, value)
            try extent.add(key)
            try extent.add(value)
        }
        self.map = map
        self.extent = extent
    }

    var count: Int { map.entries.count }
    var isEmpty: Bool { map.entries.isEmpty }
    var keys: [Value] { map.entries.map(\.element.key) }
    var values: [Value] { map.entries.map(\.element.value) }
    var entries: [(key: Value, value: Value)] { map.entries.map(\.element) }

    subscript(name: Text) -> Value? { map[.string(name)]?.value }
    subscript(key: DictKey) -> Value? { map[key]?.value }

    /// Key and value pairs as tuples.
    func items() throws(ChatError) -> [Value] {
        var items: [Value] = []
        items.reserveCapacity(count)
        for (key, value) in entries { items.append(try .tuple([key, value])) }
        return items
    }
}

/// The part of a dict that a view shows.
enum DictPart: String {
    case keys, values, items

    func elements(of dict: DictValue) throws(ChatError) -> [Value] {
        switch self {
        case .keys: dict.keys
        case .values: dict.values
        case .items: try dict.items()
        }
    }
}
