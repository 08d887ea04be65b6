import CZstd

/// Where the independent parts of a zstd file are.
struct FrameIndex {
    /// A part that can be decompressed without what comes before it: a frame, or all frames from the first that does not say its size.
    struct Segment {
        /// Offset in the file.
        let compressedStart: Int
        /// Offset in what the file holds.
        let start: Int
        /// `nil` where only decompressing will tell; then it is the last segment.
        let count: Int?
    }

    /// In file order, none empty; there is at least one.
    private(set) var segments: [Segment] = []
    /// Where the frames of the last segment are, if its size is not known.
    private(set) var unsized: ArraySlice<Range<Int>> = []
    /// Bytes that the segments of known size hold.
    private(set) var knownByteCount = 0

    /// Bytes that the file holds, where that is known.
    var contentByteCount: Int? { unsized.isEmpty ? knownByteCount : nil }

    private static let magic: UInt32 = 0xFD2F_B528
    private static let skippableMagic: UInt32 = 0x184D_2A50
    private static let skippableMask: UInt32 = 0xFFFF_FFF0

    /// Whether a file starts as zstd files do.
    static func recognizes(_ mapping: Mapping) -> Bool {
        guard unsafe mapping.bytes.count >= 4 else { return false }
        let start = unsafe UInt32(littleEndian: mapping.bytes.loadUnaligned(as: UInt32.self))
        return start == magic || start & skippableMask == skippableMagic
    }

    /// Walks over the frames, which touches some bytes of each block but decompresses nothing.
    init(_ mapping: Mapping) throws(GGUFError) {
        let bytes = unsafe mapping.bytes
        var unsized: [Range<Int>] = []
        var offset = 0
        var frame = 0
        while offset < bytes.count {
            func failure(_ problem: String) -> GGUFError {
                GGUFError(file: mapping.path, problem: "zstd frame \(frame) at compressed byte \(offset) \(problem)")
            }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let compressed = unsafe ZSTD_findFrameCompressedSize(rest.baseAddress, rest.count)
            guard ZSTD_isError(compressed) == 0, compressed > 0, compressed <= rest.count else {
                throw failure("is cut off or corrupt: \(Self.name(compressed))")
            }
            switch unsafe ZSTD_getFrameContentSize(rest.baseAddress, rest.count) {
            case 0:
                break
            case Self.invalidSize:
                throw failure("has a corrupt header")
            case let count:
                if count == Self.unknownSize || !unsized.isEmpty {
                    unsized.append(offset..<offset + compressed)
                    break
                }
                guard let size = Int(exactly: count), let end = Self.sum(knownByteCount, size) else {
                    throw failure("says that it holds \(count) bytes, which overflows")
                }
                guard size <= Self.maximumByteCount(compressed: compressed) else {
                    throw failure("says that it holds \(count) bytes, which \(compressed) compressed bytes cannot")
                }
                segments.append(Segment(compressedStart: offset, start: knownByteCount, count: size))
                knownByteCount = end
            }
            offset += compressed
            frame += 1
        }
        self.unsized = unsized[...]
        openSegment()
        guard !segments.isEmpty else { throw GGUFError(file: mapping.path, problem: "is compressed and holds nothing") }
    }

    /// Takes over how many bytes the first of the frames without size holds.
    mutating func learn(_ count: Int) {
        let frame = unsized.removeFirst()
        segments.removeLast()
        if count > 0 {
            segments.append(Segment(compressedStart: frame.lowerBound, start: knownByteCount, count: count))
        }
        knownByteCount += count
        openSegment()
    }

    private mutating func openSegment() {
        guard let frame = unsized.first else { return }
        segments.append(Segment(compressedStart: frame.lowerBound, start: knownByteCount, count: nil))
    }

    /// Index of the segment that holds byte `offset`, or the last one.
    func segment(at offset: Int) -> Int {
        var low = 0
        var high = segments.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].start <= offset { low = middle } else { high = middle }
        }
        return low
    }

    static func name(_ result: Int) -> String { unsafe String(cString: ZSTD_getErrorName(result)) }

    // ZSTD_CONTENTSIZE_UNKNOWN and ZSTD_CONTENTSIZE_ERROR, macros that Swift does not import.
    private static let unknownSize = UInt64.max
    private static let invalidSize = UInt64.max - 1
    // A block holds at most 128 KiB and takes at least three bytes of header and one of content.
    private static let maximumBlock = 1 << 17
    private static let minimumBlock = 4

    /// What so many compressed bytes can hold at most.
    static func maximumByteCount(compressed: Int) -> Int {
        let (bytes, overflow) = (compressed / minimumBlock + 1).multipliedReportingOverflow(by: maximumBlock)
        return overflow ? .max : bytes
    }

    private static func sum(_ a: Int, _ b: Int) -> Int? {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : sum
    }
}
