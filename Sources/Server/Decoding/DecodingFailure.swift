package import JSON

/// Why a JSON value is not what a request needs, in serde's words.
package struct DecodingFailure: Error, Equatable {
    /// From the whole body to the value; of a missing member, to the object that lacks it.
    package private(set) var path: [JSON.PathStep] = []
    package let message: String
    /// Whether serde looks only at how the value begins: that is the place it reports then.
    let isAtStart: Bool

    package init(_ message: String, isAtStart: Bool = false) {
        self.message = message
        self.isAtStart = isAtStart
    }

    /// A value of the right type that is out of range.
    package static func invalidValue(_ value: JSON, expected: String) -> DecodingFailure {
        DecodingFailure("invalid value: \(value.serdeDescription), expected \(expected)")
    }

    package static func invalidType(_ value: JSON, expected: String) -> DecodingFailure {
        DecodingFailure(
            "invalid type: \(value.serdeDescription), expected \(expected)", isAtStart: value.isContainer)
    }

    package static func missing(_ key: String) -> DecodingFailure { DecodingFailure("missing field `\(key)`") }

    /// The same failure, seen from the value that holds this one.
    package func within(_ step: JSON.PathStep) -> DecodingFailure {
        var copy = self
        copy.path.insert(step, at: 0)
        return copy
    }

    /// The whole message for the body `text`, which must be JSON.
    func description(in text: Span<UInt8>) -> String {
        var description = ""
        if !path.isEmpty {
            for (index, step) in path.enumerated() {
                switch step {
                case .key(let key): description += index == 0 ? key : ".\(key)"
                case .index(let place): description += "[\(place)]"
                }
            }
            description += ": "
        }
        description += message
        if let range = JSON.range(of: path, in: text) {
            let (line, column) = JSON.position(of: isAtStart ? range.lowerBound : range.upperBound, in: text)
            description += " at line \(line) column \(column)"
        }
        return description
    }
}

extension JSON {
    fileprivate var isContainer: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    fileprivate var serdeDescription: String {
        switch self {
        case .null: "null"
        case .bool(let value): "boolean `\(value)`"
        case .int, .uint: "integer `\(self)`"
        case .double(let value): "floating point `\(JSON(value))`"
        case .number(let literal): "number `\(literal)`"
        case .string(let text): "string \(JSON.string(text))"
        case .array: "sequence"
        case .object: "map"
        }
    }
}
