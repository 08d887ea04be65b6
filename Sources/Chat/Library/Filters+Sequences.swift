// Filters on sequences and dicts.

extension Filter {
    static let sequences: [Filter] = [
        Filter("length") { (_, value, _) throws(ChatError) in .int(try length(value)) },
        Filter("count") { (_, value, _) throws(ChatError) in .int(try length(value)) },
        Filter("list") { (interpreter, value, _) throws(ChatError) in try .list(try value.collected(interpreter)) },
        Filter("first") { (interpreter, value, _) throws(ChatError) in
            var iteration = try Iteration.over(value, interpreter)
            return try iteration.next() ?? .undefined(.hint("No first item, sequence was empty."))
        },
        Filter("last") { (_, value, _) throws(ChatError) in
            guard let items = try reversible(value) else {
                throw ChatError(.type, "'\(value.typeName)' object is not reversible")
            }
            return items.last ?? .undefined(.hint("No last item, sequence was empty."))
        },
        Filter("reverse") { (interpreter, value, _) throws(ChatError) in
            if case .string(let text) = value {
                return .string(Text(scalars: Array(text.scalars).reversed(), isMarkup: text.isMarkup))
            }
            if let items = try reversible(value) {
                let name: String =
                    switch value {
                    case .list: "list_reverseiterator"
                    case .range: "range_iterator"
                    case .dict: "dict_reversekeyiterator"
                    default: "reversed"
                    }
                return .generator(try Generator(name, items: items.reversed(), from: value))
            }
            guard let source = try Iteration(value) else {
                throw ChatError(.filterArgument, "argument must be iterable")
            }
            return try .list(try source.collect(interpreter).reversed())
        },
        Filter("join", .parameters("d", "attribute")) { (interpreter, value, arguments) throws(ChatError) in
            let path = arguments.optional(1).map(AttributePath.init)
            var items: [Value] = []
            for item in try Iteration.over(value, interpreter).collect(interpreter) {
                items.append(try path?.value(in: item, interpreter) ?? item)
            }
            return .string(try joined(items, arguments[0]?.softText ?? "", interpreter))
        },
        Filter("items") { (_, value, _) throws(ChatError) in
            switch value {
            case .undefined: return .generator(try Generator(function: "do_items", items: [], from: value))
            case .dict(let dict):
                return .generator(try Generator(function: "do_items", items: try dict.items(), from: value))
            default:
                // Python's filter is a generator: it fails when it is asked for its first value.
                return .generator(
                    try Generator(function: "do_items", from: value) { () throws(ChatError) in
                        throw ChatError(.type, "Can only get item pairs from a mapping.")
                    })
            }
        },
        Filter("dictsort", .parameters("case_sensitive", "by", "reverse")) {
            (interpreter, value, arguments) throws(ChatError) in
            let by = arguments[1]?.text ?? "key"
            guard by == "key" || by == "value" else {
                throw ChatError(.filterArgument, "You can only sort by either \"key\" or \"value\"")
            }
            guard case .dict(let dict) = value else {
                if case .undefined(let undefined) = value { throw undefined.error }
                throw ChatError(.attribute, "'\(value.typeName)' object has no attribute 'items'")
            }
            let keys = (by == "key" ? dict.keys : dict.values).map { arguments.truth(0) ? $0 : $0.ignoringCase }
            let items = try dict.items()
            let order = try Sorting.order(keys, isReversed: arguments.truth(2), interpreter)
            return try .list(order.map { items[$0] })
        },
        Filter("sort", .parameters("reverse", "case_sensitive", "attribute")) {
            (interpreter, value, arguments) throws(ChatError) in
            let paths = AttributePath.list(arguments.optional(2))
            let items = try Iteration.over(value, interpreter).collect(interpreter)
            var keys: [Value] = []
            for item in items {
                var key: [Value] = []
                for path in paths {
                    let value = try path.value(in: item, interpreter)
                    key.append(arguments.truth(1) ? value : value.ignoringCase)
                }
                keys.append(try .list(key))
            }
            let order = try Sorting.order(keys, isReversed: arguments.truth(0), interpreter)
            return try .list(order.map { items[$0] })
        },
        Filter("min", .parameters("case_sensitive", "attribute")) { (interpreter, value, arguments) throws(ChatError) in
            try extreme(value, .less, arguments, interpreter)
        },
        Filter("max", .parameters("case_sensitive", "attribute")) { (interpreter, value, arguments) throws(ChatError) in
            try extreme(value, .greater, arguments, interpreter)
        },
        Filter("sum", .parameters("attribute", "start")) { (interpreter, value, arguments) throws(ChatError) in
            let path = arguments.optional(0).map(AttributePath.init)
            var sum = arguments[1] ?? .int(0)
            if case .string = sum { throw ChatError(.type, "sum() can't sum strings [use ''.join(seq) instead]") }
            for item in try Iteration.over(value, interpreter).collect(interpreter) {
                sum = try Arithmetic.apply(.add, sum, try path?.value(in: item, interpreter) ?? item, interpreter)
            }
            return sum
        },
        Filter("unique", .parameters("case_sensitive", "attribute")) {
            (interpreter, value, arguments) throws(ChatError) in
            let path = arguments.optional(1).map(AttributePath.init)
            let isCaseSensitive = arguments.truth(0)
            var source: Iteration?
            var seen: Set<DictKey> = []
            return .generator(
                try Generator(function: "sync_do_unique", from: value) { () throws(ChatError) in
                    if source == nil { source = try Iteration.over(value, interpreter) }
                    while let item = try source?.next() {
                        try interpreter.spend(1)
                        let key = try path?.value(in: item, interpreter) ?? item
                        if seen.insert(try DictKey(isCaseSensitive ? key : key.ignoringCase)).inserted { return item }
                    }
                    return nil
                })
        },
        Filter("groupby", .parameters("attribute", "default", "case_sensitive", required: 1)) {
            (interpreter, value, arguments) throws(ChatError) in
            try .list(try groups(value, arguments, interpreter))
        },
        Filter("batch", .parameters("linecount", "fill_with", required: 1)) {
            (interpreter, value, arguments) throws(ChatError) in
            let size = try arguments.value(0).requiredInt
            let items = try Iteration.over(value, interpreter).collect(interpreter)
            var rows: [Value] = []
            var row: [Value] = []
            for item in items {
                if row.count == size {
                    rows.append(try .list(row))
                    row = []
                }
                row.append(item)
            }
            if !row.isEmpty {
                if let fill = arguments.optional(1), row.count < size {
                    try interpreter.reserve(16, times: size - row.count)
                    row += repeatElement(fill, count: size - row.count)
                }
                rows.append(try .list(row))
            }
            return .generator(try Generator(function: "do_batch", items: rows, from: try .list(rows)))
        },
        Filter("slice", .parameters("slices", "fill_with", required: 1)) {
            (interpreter, value, arguments) throws(ChatError) in
            let count = try arguments.value(0).requiredInt
            let items = try Iteration.over(value, interpreter).collect(interpreter)
            guard count != 0 else { throw ChatError(.zeroDivision, "integer division or modulo by zero") }
            guard count > 0 else { return .generator(try Generator(function: "sync_do_slice", items: [], from: value)) }
            try interpreter.reserve(16, times: count)
            var rest = items[...]
            var rows: [Value] = []
            for index in 0..<count {
                let isLonger = index < items.count % count
                let size = items.count / count + (isLonger ? 1 : 0)
                var row = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                if let fill = arguments.optional(1), !isLonger { row.append(fill) }
                rows.append(try .list(row))
            }
            return .generator(try Generator(function: "sync_do_slice", items: rows, from: try .list(rows)))
        },
    ]

    private static func length(_ value: Value) throws(ChatError) -> Int {
        guard let length = try value.length() else {
            throw ChatError(.type, "object of type '\(value.typeName)' has no len()")
        }
        return length
    }

    /// The items of what Python can go through backwards.
    private static func reversible(_ value: Value) throws(ChatError) -> [Value]? {
        switch value {
        case .undefined: []
        case .string(let text): text.characters.map { .string($0) }
        case .list(let list), .tuple(let list): list.items
        case .dict(let dict): dict.keys
        case .view(let dict, let part): try part.elements(of: dict)
        case .range(let range): range.items
        default: nil
        }
    }

    private static func joined(
        _ items: [Value], _ separator: Text, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        let texts = interpreter.escapes ? items.map(\.softText) : items.map(\.text)
        let isMarkup = interpreter.escapes && (separator.isMarkup || texts.contains { $0.isMarkup })
        return try Text.joined(
            isMarkup ? texts.map(\.escaped) : texts, separator: isMarkup ? separator.escaped : separator.marked(false),
            interpreter)
    }

    private static func extreme(
        _ value: Value, _ comparison: Comparison, _ arguments: Bound, _ interpreter: Interpreter
    ) throws(ChatError) -> Value {
        let path = arguments.optional(1).map(AttributePath.init)
        var best: (item: Value, key: Value)?
        for item in try Iteration.over(value, interpreter).collect(interpreter) {
            var key = try path?.value(in: item, interpreter) ?? item
            if !arguments.truth(0) { key = key.ignoringCase }
            if let current = best, !(try Value.isOrdered(key, comparison, current.key)) { continue }
            best = (item, key)
        }
        return best?.item ?? .undefined(.hint("No aggregated item, sequence was empty."))
    }

    /// Pairs of a value and the items that have it, in the order of the values.
    private static func groups(
        _ value: Value, _ arguments: Bound, _ interpreter: Interpreter
    ) throws(ChatError) -> [Value] {
        let path = AttributePath(try arguments.value(0))
        let isCaseSensitive = arguments.truth(2)
        let items = try Iteration.over(value, interpreter).collect(interpreter)
        var keys: [(own: Value, compared: Value)] = []
        for item in items {
            let key = try path.value(in: item, default: arguments[1], interpreter)
            keys.append((key, isCaseSensitive ? key : key.ignoringCase))
        }
        var groups: [(key: (own: Value, compared: Value), items: [Value])] = []
        for index in try Sorting.order(keys.map(\.compared), isReversed: false, interpreter) {
            if let last = groups.last, Value.isEqual(last.key.compared, keys[index].compared) {
                groups[groups.count - 1].items.append(items[index])
            } else {
                groups.append((keys[index], [items[index]]))
            }
        }
        var pairs: [Value] = []
        for group in groups {
            pairs.append(.tuple(try ListValue([group.key.own, try .list(group.items)], names: ["grouper", "list"])))
        }
        return pairs
    }
}

/// An attribute as filters take it: an index, or names and indices with dots between them.
struct AttributePath {
    private let parts: [Value]

    init(_ attribute: Value) {
        switch attribute {
        case .none: parts = []
        case .string(let text): parts = Self.parts(text)
        default: parts = [attribute]
        }
    }

    private static func parts(_ text: Text) -> [Value] {
        text.split(".", limit: -1).map { part in
            part.isAll { $0.isDigit } ? Int(part.string).map { .int($0) } ?? .string(part) : .string(part)
        }
    }

    private init(parts: [Value]) { self.parts = parts }

    /// Paths with commas between them; the value itself without an attribute.
    static func list(_ attribute: Value?) -> [AttributePath] {
        switch attribute {
        case nil: [AttributePath(parts: [])]
        case .string(let text): text.split(",", limit: -1).map { AttributePath(.string($0)) }
        case .some(let value): [AttributePath(value)]
        }
    }

    func value(
        in value: Value, default defaultValue: Value? = nil, _ interpreter: Interpreter
    ) throws(ChatError) -> Value {
        try interpreter.value(at: parts, in: value, default: defaultValue)
    }
}

extension Value {
    /// Strings in lower case, for comparisons that ignore it.
    var ignoringCase: Value {
        if case .string(let text) = self { .string(text.lowercased()) } else { self }
    }
}

extension Text {
    static func joined(_ texts: [Text], separator: Text, _ interpreter: Interpreter) throws(ChatError) -> Text {
        var bytes = 0
        for text in texts { bytes += text.bytes.count }
        try interpreter.reserve(bytes)
        try interpreter.reserve(separator.bytes.count, times: texts.count)
        return Text(bytes: Array(joining: texts.map(\.bytes), separator: separator.bytes), isMarkup: separator.isMarkup)
    }
}

/// Python's stable sort by keys.
enum Sorting {
    /// The indices of the keys in order. Equal keys stay as they are, also in reverse.
    static func order(_ keys: [Value], isReversed: Bool, _ interpreter: Interpreter) throws(ChatError) -> [Int] {
        var order = Array(keys.indices)
        var width = 1
        while width < order.count {
            var merged: [Int] = []
            merged.reserveCapacity(order.count)
            for start in stride(from: 0, to: order.count, by: 2 * width) {
                var left = order[start..<min(start + width, order.count)]
                var right = order[min(start + width, order.count)..<min(start + 2 * width, order.count)]
                while let a = left.first, let b = right.first {
                    try interpreter.spend(1)
                    try interpreter.countComparing(keys[a], keys[b])
                    let isRightFirst =
                        isReversed
                        ? try Value.isOrdered(keys[a], .less, keys[b]) : try Value.isOrdered(keys[b], .less, keys[a])
                    merged.append(isRightFirst ? right.removeFirst() : left.removeFirst())
                }
                merged += left
                merged += right
            }
            order = merged
            width *= 2
        }
        return order
    }
}
