import JSON

extension Value {
    /// The value that Python's `json.loads` gives for the same text.
    init(_ json: JSON) throws(ChatError) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(Int(value))
        case .uint(let value): self = .bigInt(Text(String(value)))
        case .double(let value): self = .float(value)
        case .number(let literal):
            let isInteger = literal.utf8.allSatisfy { $0 == UInt8(ascii: "-") || Unicode.Scalar($0).isASCIIDigit }
            self = isInteger ? .bigInt(Text(literal)) : .float(Double(literal) ?? .infinity)
        case .string(let text): self = .string(Text(text))
        case .array(let items):
            var values: [Value] = []
            values.reserveCapacity(items.count)
            for item in items { values.append(try Value(item)) }
            self = try .list(values)
        case .object(let members):
            var entries: [(key: Value, value: Value)] = []
            entries.reserveCapacity(members.count)
            for (key, value) in members { entries.append((.string(key), try Value(value))) }
            self = .dict(try DictValue(entries))
        }
    }
}
