/// A GGUF file that remembers where its fields are, so that a mutator can lie in the right places. It is written apart from the product's
/// writer and can also say what that one refuses to.
package struct SeedFile: Sendable {
    /// A number of the format.
    package struct Field: Sendable {
        package let offset: Int
        package let size: Int
    }

    package private(set) var bytes: [UInt8] = []
    package private(set) var fields: [Field] = []
    /// Whole metadata entries and whole directory entries.
    package private(set) var entries: [Range<Int>] = []
    package private(set) var directory: [Range<Int>] = []

    package static let tensorCountOffset = 8
    package static let entryCountOffset = 16

    package init(magic: UInt32 = 0x4655_4747, version: UInt32 = 3, tensors: UInt64 = 0, entries: UInt64 = 0) {
        append(magic)
        append(version)
        append(tensors)
        append(entries)
    }

    package mutating func append<T: FixedWidthInteger>(_ value: T) {
        let size = T.bitWidth / 8
        fields.append(Field(offset: bytes.count, size: size))
        for byte in 0..<size {
            bytes.append(UInt8(truncatingIfNeeded: UInt64(truncatingIfNeeded: value) >> UInt64(8 * byte)))
        }
    }

    package mutating func append(_ text: [UInt8]) {
        append(UInt64(text.count))
        bytes.append(contentsOf: text)
    }

    package mutating func append(_ text: String) { append([UInt8](text.utf8)) }

    /// A metadata entry; `value` appends type and value. Also counts it.
    package mutating func entry(_ key: String, _ value: (inout SeedFile) -> Void) {
        let start = bytes.count
        append(key)
        value(&self)
        entries.append(start..<bytes.count)
        increment(Self.entryCountOffset)
    }

    /// A directory entry. Also counts it.
    package mutating func tensor(
        _ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64, rank: UInt32? = nil
    ) {
        let start = bytes.count
        append(name)
        append(rank ?? UInt32(dimensions.count))
        for extent in dimensions { append(extent) }
        append(type)
        append(offset)
        directory.append(start..<bytes.count)
        increment(Self.tensorCountOffset)
    }

    /// Padding and tensor data that can be recognised.
    package mutating func data(_ count: Int, alignment: Int = 32) {
        while !bytes.count.isMultiple(of: alignment) { bytes.append(0) }
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: index &* 31 &+ 7)) }
    }

    /// A copy with other bytes; what is known of its fields no longer holds.
    package func edited(_ edit: (inout [UInt8]) -> Void) -> SeedFile {
        var copy = self
        edit(&copy.bytes)
        copy.fields = []
        copy.entries = []
        copy.directory = []
        return copy
    }

    private mutating func increment(_ offset: Int) { bytes[offset] += 1 }
}

extension SeedFile {
    package mutating func scalar<T: FixedWidthInteger>(_ type: UInt32, _ value: T) {
        append(type)
        append(value)
    }

    package mutating func string(_ text: String) {
        append(UInt32(8))
        append(text)
    }

    /// An array; `elements` appends them.
    package mutating func array(
        _ elementType: UInt32, count: UInt64, nested: Bool = false, _ elements: (inout SeedFile) -> Void
    ) {
        if !nested { append(UInt32(9)) }
        append(elementType)
        append(count)
        elements(&self)
    }
}
