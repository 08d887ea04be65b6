package import JSON

/// The type of a member of a request: how serde calls it and how it is read.
package struct FieldType<Value>: Sendable {
    package let read: @Sendable (JSON) throws(DecodingFailure) -> Value

    package init(read: @escaping @Sendable (JSON) throws(DecodingFailure) -> Value) { self.read = read }

    /// A type whose values are JSON values of one kind.
    init(_ name: String, _ value: @escaping @Sendable (JSON) -> Value?) {
        self.init { (json) throws(DecodingFailure) in
            guard let value = value(json) else { throw .invalidType(json, expected: name) }
            return value
        }
    }
}

extension FieldType<String> {
    package static var string: Self { Self("a string", \.stringValue) }
}

extension FieldType<Bool> {
    package static var bool: Self { Self("a boolean", \.boolValue) }
}

extension FieldType<JSON> {
    /// Anything.
    package static var json: Self { Self { (json) throws(DecodingFailure) in json } }
}

extension FieldType where Value: FixedWidthInteger & Sendable {
    init(integer name: String) {
        self.init { (json) throws(DecodingFailure) in
            let value: Value? =
                switch json {
                case .int(let value): Value(exactly: value)
                case .uint(let value): Value(exactly: value)
                default: throw .invalidType(json, expected: name)
                }
            guard let value else { throw .invalidValue(json, expected: name) }
            return value
        }
    }
}

extension FieldType<UInt32> {
    package static var u32: Self { Self(integer: "u32") }
}

extension FieldType<UInt64> {
    package static var u64: Self { Self(integer: "u64") }
}

extension FieldType<Int32> {
    package static var i32: Self { Self(integer: "i32") }
}

extension FieldType<Int> {
    /// A count; more than fits `Int` is as good as the most.
    package static var usize: Self {
        Self { (json) throws(DecodingFailure) in
            Int(clamping: try FieldType<UInt64>(integer: "usize").read(json))
        }
    }
}

extension FieldType<Float> {
    package static var f32: Self { Self("f32") { $0.doubleValue.map { Float($0) } } }
}

extension FieldType {
    package static func array<Element>(of element: FieldType<Element>) -> FieldType<[Element]>
    where Value == [Element] {
        FieldType<[Element]> { (json) throws(DecodingFailure) in
            guard let items = json.arrayValue else { throw .invalidType(json, expected: "a sequence") }
            var values: [Element] = []
            values.reserveCapacity(items.count)
            for (index, item) in items.enumerated() {
                do throws(DecodingFailure) { values.append(try element.read(item)) } catch {
                    throw error.within(.index(index))
                }
            }
            return values
        }
    }

    /// What is made of a value of this type.
    package func map<Result>(_ transform: @escaping @Sendable (Value) -> Result) -> FieldType<Result> {
        FieldType<Result> { (json) throws(DecodingFailure) in transform(try read(json)) }
    }

    /// An object with members of its own.
    package static func object(
        _ name: String, _ read: @escaping @Sendable (Members) throws(DecodingFailure) -> Value
    ) -> FieldType {
        FieldType { (json) throws(DecodingFailure) in
            guard let object = json.objectValue else { throw .invalidType(json, expected: "struct \(name)") }
            return try read(Members(object))
        }
    }
}

/// The members of a request's object, read by name. Members that nobody asks for are ignored, as in TGI.
package struct Members {
    package let object: JSONObject

    package init(_ object: JSONObject) { self.object = object }

    package func has(_ key: String) -> Bool { object[key] != nil }

    /// A member that must be there.
    package func required<T>(_ key: String, _ type: FieldType<T>) throws(DecodingFailure) -> T {
        guard let json = object[key] else { throw .missing(key) }
        return try read(json, key, type)
    }

    /// A member that may be absent or `null`.
    package func optional<T>(_ key: String, _ type: FieldType<T>) throws(DecodingFailure) -> T? {
        guard let json = object[key], !json.isNull else { return nil }
        return try read(json, key, type)
    }

    /// A member that may be absent, but not `null`.
    package func value<T>(_ key: String, _ type: FieldType<T>, default: T) throws(DecodingFailure) -> T {
        guard let json = object[key] else { return `default` }
        return try read(json, key, type)
    }

    private func read<T>(_ json: JSON, _ key: String, _ type: FieldType<T>) throws(DecodingFailure) -> T {
        do { return try type.read(json) } catch { throw error.within(.key(key)) }
    }
}
