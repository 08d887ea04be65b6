/// A JSON value (RFC 8259) whose objects keep the order of their members.
///
/// A number is held in the first form that holds it exactly as written: ``int(_:)``, ``uint(_:)`` above `Int64.max`,
/// ``double(_:)`` for everything with a fraction or an exponent, and ``number(_:)`` for what none of them holds. The
/// initializers keep to that rule, so equal numbers of the same kind compare equal.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    /// An integer above `Int64.max`.
    case uint(UInt64)
    case double(Double)
    /// The literal of an integer beyond 64 bits, or of a decimal beyond the range of `Double`.
    case number(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    package init(_ value: Bool) { self = .bool(value) }
    package init(_ value: String) { self = .string(value) }
    package init(_ value: [JSON]) { self = .array(value) }
    package init(_ value: JSONObject) { self = .object(value) }
    package init(_ value: Double) { self = .double(value) }

    /// The double that prints as the shortest text of this `Float`, so that 0.1 does not become 0.10000000149011612.
    package init(_ value: Float) { self = .double(Double(value.description) ?? Double(value)) }

    /// Any integer; beyond 64 bits as its literal.
    package init(_ value: some BinaryInteger) {
        if let int = Int64(exactly: value) {
            self = .int(int)
        } else if let uint = UInt64(exactly: value) {
            self = .uint(uint)
        } else {
            self = .number(value.description)
        }
    }
}

extension JSON {
    package var isNull: Bool { self == .null }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var arrayValue: [JSON]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    package var objectValue: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The value of an integer literal that fits. A literal with a fraction or an exponent (`1.0`, `1e3`) is not an integer.
    package var intValue: Int? {
        switch self {
        case .int(let value): Int(value)
        default: nil
        }
    }

    /// The value of a non-negative integer literal that fits 64 bits.
    package var uintValue: UInt64? {
        switch self {
        case .int(let value): UInt64(exactly: value)
        case .uint(let value): value
        default: nil
        }
    }

    /// The finite double nearest to any number; `nil` where the literal is beyond the range of `Double`.
    package var doubleValue: Double? {
        let value: Double?
        switch self {
        case .int(let int): value = Double(int)
        case .uint(let uint): value = Double(uint)
        case .double(let double): value = double
        case .number(let literal): value = Double(literal)
        default: value = nil
        }
        return value.flatMap { $0.isFinite ? $0 : nil }
    }

    /// The member of an object with this key; `nil` for an absent key and for anything that is not an object.
    package subscript(key: String) -> JSON? { objectValue?[key] }

    /// The element of an array at this index; `nil` past the end and for anything that is not an array.
    package subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(JSONObject(members))
    }
}
