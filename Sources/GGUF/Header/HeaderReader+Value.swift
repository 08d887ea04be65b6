extension HeaderReader {
    /// A metadata value behind its type.
    mutating func value() throws(GGUFError) -> Metadata.Value {
        switch try type("the value type") {
        case .uint8: .uint8(try integer("a value"))
        case .int8: .int8(try integer("a value"))
        case .uint16: .uint16(try integer("a value"))
        case .int16: .int16(try integer("a value"))
        case .uint32: .uint32(try integer("a value"))
        case .int32: .int32(try integer("a value"))
        case .uint64: .uint64(try integer("a value"))
        case .int64: .int64(try integer("a value"))
        case .float32: .float32(Float(bitPattern: try integer("a value")))
        case .float64: .float64(Double(bitPattern: try integer("a value")))
        case .bool: .bool(try integer("a value", as: UInt8.self) != 0)
        case .string: .string(try string("a string"))
        case .array: .array(try array(depth: 1))
        }
    }

    /// An array behind its element type and count.
    private mutating func array(depth: Int) throws(GGUFError) -> Metadata.Array {
        guard depth <= Header.maximumDepth else {
            throw failure("arrays are nested more than \(Header.maximumDepth) deep")
        }
        let type = try type("the element type")
        let count = try count("the array length", minimumBytes: type.minimumBytes)
        switch type {
        case .uint8: return .uint8(try values(count))
        case .int8: return .int8(try values(count))
        case .uint16: return .uint16(try values(count))
        case .int16: return .int16(try values(count))
        case .uint32: return .uint32(try values(count))
        case .int32: return .int32(try values(count))
        case .uint64: return .uint64(try values(count))
        case .int64: return .int64(try values(count))
        case .float32: return .float32(try values(count))
        case .float64: return .float64(try values(count))
        case .bool: return .bool(try values(count, UInt8.self).map { $0 != 0 })
        case .string: return .strings(try strings(count))
        case .array:
            var arrays: [Metadata.Array] = []
            for _ in 0..<count { arrays.append(try array(depth: depth + 1)) }
            return .arrays(arrays)
        }
    }

    private mutating func type(_ what: StaticString) throws(GGUFError) -> ValueType {
        let start = offset
        let tag = try integer(what, as: UInt32.self)
        guard let type = ValueType(rawValue: tag) else { throw failure("\(what) \(tag) is unknown", at: start) }
        return type
    }
}
