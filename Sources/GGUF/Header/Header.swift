import Quant

/// What stands before the tensor data of one file.
struct Header: Sendable {
    let version: UInt32
    let metadata: Metadata
    /// In directory order.
    let tensors: [TensorInfo]
    /// One past the last byte of the last tensor, or the end of the header where there is none.
    let end: Int
}

extension Header {
    static let magic: UInt32 = 0x4655_4747
    static let versions: ClosedRange<UInt32> = 2...3
    static let alignmentKey = "general.alignment"
    static let defaultAlignment = 32
    static let maximumAlignment = 1 << 20
    /// Real files have tens of keys and at most some thousands of tensors. Entries take more memory than file, so that a limit is needed.
    static let maximumKeys = 1 << 16
    static let maximumTensors = 1 << 17
    /// Nested arrays deeper than this are refused.
    static let maximumDepth = 8

    /// Least bytes of a metadata entry (key length, value type, one byte) and of a directory entry (name length, number of
    /// dimensions, one dimension, type, offset).
    private static let minimumEntry = 8 + 4 + 1
    private static let minimumTensor = 8 + 4 + 8 + 4 + 8

    /// Reads and checks the header of one file.
    /// - Parameter limit: Bytes of the file, or the most that it may have after decompression.
    init(_ reader: inout HeaderReader, shard: Int, limit: Int) throws(GGUFError) {
        version = try Self.readVersion(&reader)
        let tensorCount = try reader.count(
            "the number of tensors", minimumBytes: Self.minimumTensor, maximum: Self.maximumTensors)
        let entryCount = try reader.count(
            "the number of metadata entries", minimumBytes: Self.minimumEntry, maximum: Self.maximumKeys)

        metadata = try Self.readMetadata(&reader, count: entryCount)
        let alignment = try Self.alignment(metadata)
        let entries = try Self.readDirectory(&reader, count: tensorCount, alignment: alignment)

        reader.subject = .header
        guard let dataStart = aligned(reader.offset, to: alignment) else {
            throw reader.failure("aligning the tensor data to \(alignment) bytes overflows")
        }
        var tensors: [TensorInfo] = []
        tensors.reserveCapacity(tensorCount)
        for entry in entries {
            func failure(_ problem: String) -> GGUFError {
                GGUFError(file: reader.file, place: .tensor(entry.name, offset: entry.position), problem: problem)
            }
            let (start, startOverflow) = dataStart.addingReportingOverflow(entry.offset)
            let (end, endOverflow) = start.addingReportingOverflow(entry.byteCount)
            guard !startOverflow, !endOverflow else { throw failure("its end overflows") }
            guard end <= limit else {
                throw failure("its data, bytes \(start) to \(end), ends after the file's \(limit) bytes")
            }
            tensors.append(
                TensorInfo(
                    name: entry.name, dimensions: entry.dimensions, format: entry.format, byteCount: entry.byteCount,
                    shard: shard, offset: start))
        }
        end = try Self.checkOverlap(tensors, file: reader.file) ?? reader.offset
        self.tensors = tensors
    }

    private static func readVersion(_ reader: inout HeaderReader) throws(GGUFError) -> UInt32 {
        let magic = try reader.integer("the magic number", as: UInt32.self)
        guard magic == Self.magic else { throw reader.failure(notGGUF(magic), at: 0) }
        let start = reader.offset
        let version = try reader.integer("the version", as: UInt32.self)
        if versions.contains(version) { return version }
        let problem =
            if versions.contains(version.byteSwapped) {
                "the file is big-endian, which is not supported: convert it to little-endian"
            } else if version == 1 {
                "GGUF version 1 is not supported: convert the file to version 3"
            } else {
                "GGUF version \(version) is not supported, only \(versions.lowerBound) and \(versions.upperBound)"
            }
        throw reader.failure(problem, at: start)
    }

    private static func notGGUF(_ magic: UInt32) -> String {
        let known: [UInt32: String] = [
            0x6767_6a74: "a GGJT file, older than GGUF",
            0x6767_6d66: "a GGMF file, older than GGUF",
            0x6767_6d6c: "a GGML file, older than GGUF",
            0x6767_6c61: "a GGLA adapter, older than GGUF",
            0x0403_4b50: "a ZIP archive, perhaps a PyTorch checkpoint",
            0x4747_5546: "a big-endian GGUF file",
        ]
        if let name = known[magic] { return "is not a GGUF file but \(name)" }
        return "is not a GGUF file: it starts with 0x" + String(magic.byteSwapped, radix: 16)
    }

    private static func readMetadata(_ reader: inout HeaderReader, count: Int) throws(GGUFError) -> Metadata {
        var metadata = Metadata([], file: reader.file)
        for _ in 0..<count {
            reader.subject = .header
            let start = reader.offset
            let key = try reader.name("a key")
            reader.subject = .key(key)
            guard metadata[key] == nil else { throw reader.failure("occurs twice", at: start) }
            metadata[key] = try reader.value()
        }
        return metadata
    }

    /// The alignment that the metadata sets, or the usual one.
    static func alignment(_ metadata: Metadata) throws(GGUFError) -> Int {
        let key = alignmentKey
        guard let alignment = try metadata.int(key) else { return defaultAlignment }
        guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= maximumAlignment else {
            throw GGUFError(
                file: metadata.file, place: .key(key),
                problem: "is \(alignment), not a power of two up to \(maximumAlignment)")
        }
        return alignment
    }

    private struct DirectoryEntry {
        let name: String
        let dimensions: [Int]
        let format: Format
        let byteCount: Int
        /// From the start of the tensor data.
        let offset: Int
        /// Where the entry starts in the file.
        let position: Int
    }

    private static func readDirectory(
        _ reader: inout HeaderReader, count: Int, alignment: Int
    ) throws(GGUFError) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        var names: Set<String> = []
        entries.reserveCapacity(count)
        names.reserveCapacity(count)
        for _ in 0..<count {
            reader.subject = .header
            let entry = try readEntry(&reader, alignment: alignment)
            guard names.insert(entry.name).inserted else { throw reader.failure("occurs twice", at: entry.position) }
            entries.append(entry)
        }
        return entries
    }

    private static func readEntry(_ reader: inout HeaderReader, alignment: Int) throws(GGUFError) -> DirectoryEntry {
        let position = reader.offset
        let name = try reader.name("a tensor name")
        reader.subject = .tensor(name)

        let rank = try reader.integer("the number of dimensions", as: UInt32.self)
        guard (1...UInt32(TensorInfo.maximumDimensions)).contains(rank) else {
            throw reader.failure("has \(rank) dimensions, not 1 to \(TensorInfo.maximumDimensions)", at: position)
        }
        var dimensions: [Int] = []
        for axis in 0..<rank {
            let extent = try reader.integer("a dimension", as: UInt64.self)
            guard let extent = Int(exactly: extent) else {
                throw reader.failure("dimension \(axis) is \(extent), which overflows", at: position)
            }
            dimensions.append(extent)
        }
        let type = try reader.integer("the tensor type", as: UInt32.self)
        guard let format = Format.with(id: type) else {
            throw reader.failure("has the unknown type \(type)", at: position)
        }
        let byteCount: Int
        switch TensorInfo.byteCount(dimensions, format) {
        case .success(let count): byteCount = count
        case .failure(let problem): throw reader.failure(problem.text, at: position)
        }
        let offset = try reader.integer("the tensor offset", as: UInt64.self)
        guard let offset = Int(exactly: offset) else {
            throw reader.failure("its offset \(offset) overflows", at: position)
        }
        guard offset.isMultiple(of: alignment) else {
            throw reader.failure("its offset \(offset) is no multiple of the alignment \(alignment)", at: position)
        }
        return DirectoryEntry(
            name: name, dimensions: dimensions, format: format, byteCount: byteCount, offset: offset, position: position
        )
    }

    /// The end of the last tensor.
    private static func checkOverlap(_ tensors: [TensorInfo], file: String) throws(GGUFError) -> Int? {
        var ordered = tensors
        ordered.sort { $0.offset < $1.offset }
        for (first, second) in zip(ordered, ordered.dropFirst()) where second.offset < first.range.upperBound {
            throw GGUFError(
                file: file, place: .tensor(second.name),
                problem:
                    "its data at byte \(second.offset) overlaps tensor '\(GGUFError.printable(first.name, limit: 100))'"
                    + ", which ends at \(first.range.upperBound)")
        }
        return ordered.last?.range.upperBound
    }
}

/// The next multiple of a power of two, unless it overflows.
func aligned(_ offset: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = offset.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum & ~(alignment - 1)
}
