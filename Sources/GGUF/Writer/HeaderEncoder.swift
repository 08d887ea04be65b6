package import Quant

/// A tensor that a file is to hold.
package struct TensorDeclaration: Hashable, Sendable {
    package let name: String
    /// One to four extents, the fastest first.
    package let dimensions: [Int]
    package let format: Format

    package init(name: String, dimensions: [Int], format: Format) {
        self.name = name
        self.dimensions = dimensions
        self.format = format
    }

    package init(_ info: TensorInfo) {
        self.init(name: info.name, dimensions: info.dimensions, format: info.format)
    }
}

/// The bytes of a file before its tensor data, and where the tensors will lie.
package struct EncodedHeader: Sendable {
    /// Ends where the tensor data starts.
    package let bytes: [UInt8]
    package let tensors: [TensorInfo]
    /// Power of two that every tensor's offset is a multiple of.
    package let alignment: Int

    /// - Parameters:
    ///   - metadata: Written in order; `general.alignment` counts.
    ///   - tensors: Written in order, the data too.
    ///   - version: 2 or 3; both have the same layout.
    ///   - file: Name for errors.
    /// - Throws: ``GGUFError`` for what the reader would refuse: names that occur twice or are too long, shapes that do not fit their format.
    package init(
        metadata: Metadata, tensors declarations: [TensorDeclaration], version: UInt32 = 3, file: String = ""
    ) throws(GGUFError) {
        precondition(Header.versions.contains(version))
        alignment = try Header.alignment(metadata)
        guard metadata.entries.count <= Header.maximumKeys, declarations.count <= Header.maximumTensors else {
            throw GGUFError(file: file, problem: "too many metadata entries or tensors")
        }

        var encoder = Encoder()
        encoder.append(Header.magic)
        encoder.append(version)
        encoder.append(UInt64(declarations.count))
        encoder.append(UInt64(metadata.entries.count))
        for (key, value) in metadata.entries {
            try Self.checkName(key, place: .key(key), file: file)
            encoder.append(key)
            encoder.append(value)
        }

        var tensors: [TensorInfo] = []
        var names: Set<String> = []
        var offset = 0
        for declaration in declarations {
            func failure(_ problem: String) -> GGUFError {
                GGUFError(file: file, place: .tensor(declaration.name), problem: problem)
            }
            try Self.checkName(declaration.name, place: .tensor(declaration.name), file: file)
            guard names.insert(declaration.name).inserted else { throw failure("occurs twice") }
            let byteCount: Int
            switch TensorInfo.byteCount(declaration.dimensions, declaration.format) {
            case .success(let count): byteCount = count
            case .failure(let problem): throw failure(problem.text)
            }
            encoder.append(declaration, offset: offset)
            tensors.append(
                TensorInfo(
                    name: declaration.name, dimensions: declaration.dimensions, format: declaration.format,
                    byteCount: byteCount, offset: offset))
            let (end, overflow) = offset.addingReportingOverflow(byteCount)
            guard !overflow, let next = aligned(end, to: alignment) else { throw failure("its end overflows") }
            offset = next
        }

        // Memory holds both, and an alignment is small: this cannot overflow.
        let start = (encoder.bytes.count + alignment - 1) / alignment * alignment
        encoder.bytes.append(contentsOf: repeatElement(0, count: start - encoder.bytes.count))
        bytes = encoder.bytes
        self.tensors = tensors.map { tensor in
            TensorInfo(
                name: tensor.name, dimensions: tensor.dimensions, format: tensor.format, byteCount: tensor.byteCount,
                offset: start + tensor.offset)
        }
    }

    private static func checkName(_ name: String, place: GGUFError.Place, file: String) throws(GGUFError) {
        guard (1...Int(UInt16.max)).contains(name.utf8.count) else {
            throw GGUFError(
                file: file, place: place, problem: "its name is \(name.utf8.count) bytes long, not 1 to \(UInt16.max)")
        }
    }
}

/// Appends fields as they stand in a file.
private struct Encoder {
    var bytes: [UInt8] = []

    mutating func append<T: FixedWidthInteger>(_ value: T) {
        var rest = value
        for _ in 0..<MemoryLayout<T>.size {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            // A byte has no second one to shift down.
            rest = T.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    mutating func append(_ value: Float) { append(value.bitPattern) }
    mutating func append(_ value: Double) { append(value.bitPattern) }
    mutating func append(_ value: Bool) { append(UInt8(value ? 1 : 0)) }

    mutating func append(_ string: String) {
        append(UInt64(string.utf8.count))
        bytes.append(contentsOf: string.utf8)
    }

    mutating func append(_ tensor: TensorDeclaration, offset: Int) {
        append(tensor.name)
        append(UInt32(tensor.dimensions.count))
        for extent in tensor.dimensions { append(UInt64(extent)) }
        append(tensor.format.id)
        append(UInt64(offset))
    }

    /// The value behind its type.
    mutating func append(_ value: Metadata.Value) {
        append(value.type.rawValue)
        switch value {
        case .uint8(let value): append(value)
        case .int8(let value): append(value)
        case .uint16(let value): append(value)
        case .int16(let value): append(value)
        case .uint32(let value): append(value)
        case .int32(let value): append(value)
        case .uint64(let value): append(value)
        case .int64(let value): append(value)
        case .float32(let value): append(value)
        case .float64(let value): append(value)
        case .bool(let value): append(value)
        case .string(let value): append(value)
        case .array(let value): append(value)
        }
    }

    /// The elements behind their type and count.
    private mutating func append(_ array: Metadata.Array) {
        append(array.elementType.rawValue)
        append(UInt64(array.count))
        switch array {
        case .uint8(let values): bytes.append(contentsOf: values)
        case .int8(let values): for value in values { append(value) }
        case .uint16(let values): for value in values { append(value) }
        case .int16(let values): for value in values { append(value) }
        case .uint32(let values): for value in values { append(value) }
        case .int32(let values): for value in values { append(value) }
        case .uint64(let values): for value in values { append(value) }
        case .int64(let values): for value in values { append(value) }
        case .float32(let values): for value in values { append(value) }
        case .float64(let values): for value in values { append(value) }
        case .bool(let values): for value in values { append(value) }
        case .strings(let values): bytes.append(contentsOf: values.encoded)
        case .arrays(let values): for value in values { append(value) }
        }
    }
}
