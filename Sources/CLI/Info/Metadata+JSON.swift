import GGUF
import JSON

extension Metadata {
    /// All entries in file order.
    var json: JSON { .object(JSONObject(entries.map { ($0.key, $0.value.json) })) }
}

extension Metadata.Value {
    var json: JSON {
        switch self {
        case .uint8(let value): JSON(value)
        case .int8(let value): JSON(value)
        case .uint16(let value): JSON(value)
        case .int16(let value): JSON(value)
        case .uint32(let value): JSON(value)
        case .int32(let value): JSON(value)
        case .uint64(let value): JSON(value)
        case .int64(let value): JSON(value)
        case .float32(let value): JSON(value)
        case .float64(let value): JSON(value)
        case .bool(let value): JSON(value)
        case .string(let value): .string(value)
        case .array(let array): .array(array.prefix(array.count))
        }
    }

    /// The value as JSON on one line; strings and arrays that are long end in an ellipsis.
    func abbreviated(limit: Int = 90) -> String {
        guard case .array(let array) = self else { return shortened(json.text(), limit) }
        var parts: [String] = []
        var length = 2
        for element in array.prefix(limit / 2) {
            let part = shortened(element.text(), limit / 2)
            length += part.count + 2
            if length > limit { break }
            parts.append(part)
        }
        if parts.count < array.count { parts.append("…") }
        return "[\(parts.joined(separator: ", "))]"
    }
}

private func shortened(_ text: String, _ limit: Int) -> String {
    text.count <= limit ? text : text.prefix(limit - 1) + "…"
}

extension Metadata.Array {
    /// The first elements.
    fileprivate func prefix(_ count: Int) -> [JSON] {
        switch self {
        case .uint8(let elements): elements.prefix(count).map { JSON($0) }
        case .int8(let elements): elements.prefix(count).map { JSON($0) }
        case .uint16(let elements): elements.prefix(count).map { JSON($0) }
        case .int16(let elements): elements.prefix(count).map { JSON($0) }
        case .uint32(let elements): elements.prefix(count).map { JSON($0) }
        case .int32(let elements): elements.prefix(count).map { JSON($0) }
        case .uint64(let elements): elements.prefix(count).map { JSON($0) }
        case .int64(let elements): elements.prefix(count).map { JSON($0) }
        case .float32(let elements): elements.prefix(count).map { JSON($0) }
        case .float64(let elements): elements.prefix(count).map { JSON($0) }
        case .bool(let elements): elements.prefix(count).map { JSON($0) }
        case .strings(let elements): (0..<min(count, elements.count)).map { .string(elements.string($0)) }
        case .arrays(let elements): elements.prefix(count).map { .array($0.prefix($0.count)) }
        }
    }
}
