/// Appends JSON to a byte buffer: what streams one event per token.
///
/// Members and elements are written in the order of the calls; commas, indentation and escapes are the writer's affair. The caller
/// balances `begin…` and `end…`. Strings keep non-ASCII text as UTF-8 and escape only what RFC 8259 demands.
package struct JSONWriter {
    /// Where white space goes.
    package enum Style: Sendable, Equatable {
        /// `{"a":1,"b":[2,3]}`
        case compact
        /// `{"a": 1, "b": [2, 3]}`, as Python's `json.dumps` writes by default.
        case spaced
        /// One member or element per line, indented by this many spaces per level, as Python's `json.dumps` writes with `indent`.
        case pretty(indent: Int)
    }

    package private(set) var bytes: [UInt8] = []
    private let style: Style
    private var depth = 0
    /// Whether the next value follows another of the same array or object.
    private var needsComma = false
    /// Whether the next value belongs to the key just written.
    private var follows = false

    package init(style: Style = .compact) { self.style = style }

    /// The text so far.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Forgets the text and keeps the buffer.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        depth = 0
        needsComma = false
        follows = false
    }

    /// Appends bytes as they are, between values: the frame around an event.
    package mutating func raw(_ text: StaticString) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        needsComma = false
    }
}

// MARK: Structure

extension JSONWriter {
    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// The key of the member whose value comes next.
    package mutating func key(_ key: String) {
        separate()
        appendQuoted(key)
        bytes.append(UInt8(ascii: ":"))
        if style != .compact { bytes.append(UInt8(ascii: " ")) }
        follows = true
    }

    package mutating func member(_ key: String, _ value: some JSONWritable) {
        self.key(key)
        value.write(to: &self)
    }

    package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        depth -= 1
        if needsComma { breakLine() }
        bytes.append(bracket)
        needsComma = true
    }

    /// What stands between the previous item and the one that follows.
    private mutating func separate() {
        if follows {
            follows = false
        } else {
            if needsComma {
                bytes.append(UInt8(ascii: ","))
                if style == .spaced { bytes.append(UInt8(ascii: " ")) }
            }
            if depth > 0 { breakLine() }
        }
        needsComma = true
    }

    private mutating func breakLine() {
        guard case .pretty(let indent) = style else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * depth))
    }
}

// MARK: Scalars

extension JSONWriter {
    package mutating func null() {
        separate()
        append("null")
    }

    package mutating func bool(_ value: Bool) {
        separate()
        append(value ? "true" : "false")
    }

    package mutating func string(_ value: String) {
        separate()
        appendQuoted(value)
    }

    package mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        if let small = UInt64(exactly: value) {
            appendDigits(small)
        } else {
            append(value.description)
        }
    }

    /// The shortest decimal that reads back as the same `Float`; `null` for NaN and the infinities, which JSON lacks.
    package mutating func float(_ value: Float) {
        separate()
        append(value.isFinite ? value.description : "null")
    }

    /// The shortest decimal that reads back as the same `Double`, laid out as Python does; `null` for NaN and the infinities.
    package mutating func double(_ value: Double) {
        separate()
        guard value.isFinite else { return append("null") }
        // Swift turns to exponents from 2^53 on, Python from 1e16 on.
        if value.magnitude < 1e16, let whole = Int64(exactly: value), whole != 0 {
            append("\(whole).0")
        } else {
            append(value.description)
        }
    }

    package mutating func json(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .int(let value): integer(value)
        case .uint(let value): integer(value)
        case .double(let value): double(value)
        case .number(let literal):
            separate()
            append(literal)
        case .string(let value): string(value)
        case .array(let elements):
            beginArray()
            for element in elements { json(element) }
            endArray()
        case .object(let object):
            beginObject()
            for (key, value) in object {
                self.key(key)
                json(value)
            }
            endObject()
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendDigits(_ value: UInt64) {
        let start = bytes.count
        var rest = value
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private mutating func appendQuoted(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        if string.utf8.allSatisfy({ !Self.needsEscape($0) }) {
            bytes.append(contentsOf: string.utf8)
        } else {
            for byte in string.utf8 { appendEscaped(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        guard Self.needsEscape(byte) else { return bytes.append(byte) }
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            append(byte < 0x10 ? "u000" : "u00")
            append(String(byte, radix: 16))
        }
    }
}

extension JSON {
    package func text(style: JSONWriter.Style = .compact) -> String {
        var writer = JSONWriter(style: style)
        writer.json(self)
        return writer.text
    }
}

extension JSON: CustomStringConvertible {
    package var description: String { text() }
}
