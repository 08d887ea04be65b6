// Typed access: nil where the key is absent, an error that names file and key where the value has another type.
extension Metadata {
    package func string(_ key: String) throws(GGUFError) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let string) = value else { throw mismatch(key, "a string") }
        return string
    }

    /// A value of any integer type.
    package func int(_ key: String) throws(GGUFError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let integer = value.integer else { throw mismatch(key, "an integer that fits 64 bits") }
        return integer
    }

    /// A value of any floating-point or integer type.
    package func float(_ key: String) throws(GGUFError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.number else { throw mismatch(key, "a number") }
        return number
    }

    package func bool(_ key: String) throws(GGUFError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let bool) = value else { throw mismatch(key, "a bool") }
        return bool
    }

    /// An array of any integer type; a single integer counts as an array of one.
    package func ints(_ key: String) throws(GGUFError) -> [Int]? {
        guard let value = self[key] else { return nil }
        guard let integers = value.integers else { throw mismatch(key, "an array of integers") }
        return integers
    }

    /// An array of any floating-point type; a single float counts as an array of one.
    package func floats(_ key: String) throws(GGUFError) -> [Float]? {
        switch self[key] {
        case nil: return nil
        case .float32(let float): return [float]
        case .float64(let float): return [Float(float)]
        case .array(.float32(let floats)): return floats
        case .array(.float64(let floats)): return floats.map { Float($0) }
        default: throw mismatch(key, "an array of floats")
        }
    }

    /// An array of bools; a single one counts as an array of one.
    package func bools(_ key: String) throws(GGUFError) -> [Bool]? {
        switch self[key] {
        case nil: return nil
        case .bool(let bool): return [bool]
        case .array(.bool(let bools)): return bools
        default: throw mismatch(key, "an array of bools")
        }
    }

    package func strings(_ key: String) throws(GGUFError) -> StringTable? {
        guard let value = self[key] else { return nil }
        guard case .array(.strings(let strings)) = value else { throw mismatch(key, "an array of strings") }
        return strings
    }

    package func requiredString(_ key: String) throws(GGUFError) -> String { try required(key, string(key)) }
    package func requiredInt(_ key: String) throws(GGUFError) -> Int { try required(key, int(key)) }
    package func requiredFloat(_ key: String) throws(GGUFError) -> Double { try required(key, float(key)) }

    private func required<T>(_ key: String, _ value: T?) throws(GGUFError) -> T {
        guard let value else { throw GGUFError(file: file, place: .key(key), problem: "is missing") }
        return value
    }

    private func mismatch(_ key: String, _ expected: String) -> GGUFError {
        let found = self[key]?.typeName ?? "nothing"
        return GGUFError(file: file, place: .key(key), problem: "is \(found), not \(expected)")
    }
}

extension Metadata.Value {
    fileprivate var integer: Int? {
        switch self {
        case .uint8(let value): Int(value)
        case .int8(let value): Int(value)
        case .uint16(let value): Int(value)
        case .int16(let value): Int(value)
        case .uint32(let value): Int(value)
        case .int32(let value): Int(value)
        case .uint64(let value): Int(exactly: value)
        case .int64(let value): Int(value)
        default: nil
        }
    }

    fileprivate var number: Double? {
        switch self {
        case .float32(let value): Double(value)
        case .float64(let value): value
        default: integer.map { Double($0) }
        }
    }

    fileprivate var integers: [Int]? {
        switch self {
        case .array(.uint8(let values)): return values.map { Int($0) }
        case .array(.int8(let values)): return values.map { Int($0) }
        case .array(.uint16(let values)): return values.map { Int($0) }
        case .array(.int16(let values)): return values.map { Int($0) }
        case .array(.uint32(let values)): return values.map { Int($0) }
        case .array(.int32(let values)): return values.map { Int($0) }
        case .array(.int64(let values)): return values.map { Int($0) }
        case .array(.uint64(let values)):
            let integers = values.compactMap { Int(exactly: $0) }
            return integers.count == values.count ? integers : nil
        default: return integer.map { [$0] }
        }
    }
}
