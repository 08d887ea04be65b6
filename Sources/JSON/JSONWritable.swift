/// What ``JSONWriter/member(_:_:)`` and ``JSONWriter/value(_:)`` take: each writes exactly one JSON value.
package protocol JSONWritable {
    func write(to writer: inout JSONWriter)
}

extension JSON: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.json(self) }
}

extension JSONObject: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.json(.object(self)) }
}

extension Bool: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.bool(self) }
}

extension String: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.string(self) }
}

extension Float: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.float(self) }
}

extension Double: JSONWritable {
    package func write(to writer: inout JSONWriter) { writer.double(self) }
}

extension JSONWritable where Self: FixedWidthInteger {
    package func write(to writer: inout JSONWriter) { writer.integer(self) }
}

extension Int: JSONWritable {}
extension Int32: JSONWritable {}
extension Int64: JSONWritable {}
extension UInt32: JSONWritable {}
extension UInt64: JSONWritable {}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    /// The value, or `null`.
    package func write(to writer: inout JSONWriter) {
        if let self { self.write(to: &writer) } else { writer.null() }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    package func write(to writer: inout JSONWriter) {
        writer.beginArray()
        for element in self { element.write(to: &writer) }
        writer.endArray()
    }
}
