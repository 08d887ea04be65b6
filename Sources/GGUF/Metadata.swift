/// The key-value section of a GGUF file, in file order.
package struct Metadata: Sendable {
    package enum Value: Hashable, Sendable {
        case uint8(UInt8)
        case int8(Int8)
        case uint16(UInt16)
        case int16(Int16)
        case uint32(UInt32)
        case int32(Int32)
        case uint64(UInt64)
        case int64(Int64)
        case float32(Float)
        case float64(Double)
        case bool(Bool)
        /// Bytes that are not UTF-8 have been replaced by U+FFFD.
        case string(String)
        case array(Array)
    }

    /// Elements of one type.
    package enum Array: Hashable, Sendable {
        case uint8([UInt8])
        case int8([Int8])
        case uint16([UInt16])
        case int16([Int16])
        case uint32([UInt32])
        case int32([Int32])
        case uint64([UInt64])
        case int64([Int64])
        case float32([Float])
        case float64([Double])
        case bool([Bool])
        case strings(StringTable)
        /// Nested arrays, each with an element type of its own.
        case arrays([Array])
    }

    package private(set) var entries: [(key: String, value: Value)] = []
    /// Path of the file that the entries come from, for messages; empty if there is none.
    package let file: String
    private var positions: [String: Int] = [:]

    /// Of entries with the same key the last value counts, at the place of the first.
    package init(_ entries: [(String, Value)], file: String = "") {
        self.file = file
        self.entries.reserveCapacity(entries.count)
        for (key, value) in entries { self[key] = value }
    }

    /// Setting an existing key keeps its place, a new key goes to the end, `nil` removes.
    package subscript(key: String) -> Value? {
        get { positions[key].map { entries[$0].value } }
        set {
            switch (positions[key], newValue) {
            case (let position?, let value?):
                entries[position].value = value
            case (nil, let value?):
                positions[key] = entries.count
                entries.append((key, value))
            case (let position?, nil):
                entries.remove(at: position)
                positions[key] = nil
                for index in position..<entries.count { positions[entries[index].key] = index }
            case (nil, nil):
                break
            }
        }
    }
}

extension Metadata.Array {
    package var count: Int {
        switch self {
        case .uint8(let elements): elements.count
        case .int8(let elements): elements.count
        case .uint16(let elements): elements.count
        case .int16(let elements): elements.count
        case .uint32(let elements): elements.count
        case .int32(let elements): elements.count
        case .uint64(let elements): elements.count
        case .int64(let elements): elements.count
        case .float32(let elements): elements.count
        case .float64(let elements): elements.count
        case .bool(let elements): elements.count
        case .strings(let elements): elements.count
        case .arrays(let elements): elements.count
        }
    }
}
