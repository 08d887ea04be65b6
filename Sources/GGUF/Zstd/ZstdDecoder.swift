import CZstd

/// Decompresses a file from the start of a segment onwards. Used by one thread at a time.
@safe
final class ZstdDecoder: @unchecked Sendable {
    /// Offset of the next byte in what the file holds.
    private(set) var position: Int
    private let mapping: Mapping
    private let context: OpaquePointer
    /// Offset of the next compressed byte.
    private var input: Int
    /// Where the compressed bytes end.
    private let end: Int
    /// Before it the compressed pages have been let go.
    private var discarded: Int
    private static let discardedBytes = 1 << 22

    convenience init(_ mapping: Mapping, from segment: FrameIndex.Segment) throws(GGUFError) {
        try self.init(mapping, compressed: segment.compressedStart..<mapping.fileByteCount, position: segment.start)
    }

    /// - Parameters:
    ///   - compressed: Where the compressed bytes are, from the start of a frame.
    ///   - position: Offset of that frame's first byte in what the file holds.
    init(_ mapping: Mapping, compressed: Range<Int>, position: Int) throws(GGUFError) {
        guard let context = unsafe ZSTD_createDCtx() else {
            throw GGUFError(file: mapping.path, problem: "cannot allocate a zstd decoder")
        }
        unsafe self.context = context
        self.mapping = mapping
        self.position = position
        input = compressed.lowerBound
        discarded = compressed.lowerBound
        end = compressed.upperBound
    }

    deinit { _ = unsafe ZSTD_freeDCtx(context) }

    /// Fills `output` with the next bytes and returns how many there were; fewer only where the file ends.
    func decode(into output: UnsafeMutableRawBufferPointer) throws(GGUFError) -> Int {
        var target = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        while unsafe target.pos < target.size {
            let before = unsafe (input, target.pos)
            try unsafe step(&target)
            if unsafe before == (input, target.pos) { break }
        }
        if input - discarded >= Self.discardedBytes || input == end {
            mapping.discard(discarded..<input)
            discarded = input
        }
        return unsafe target.pos
    }

    /// Decompresses and drops everything before byte `offset`.
    func skip(to offset: Int) throws(GGUFError) {
        guard position < offset else { return }
        let size = min(offset - position, 1 << 18)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { unsafe scratch.deallocate() }
        while position < offset {
            let wanted = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<min(size, offset - position)])
            guard try unsafe decode(into: wanted) > 0 else {
                throw failure("the compressed data ends after \(position) bytes")
            }
        }
    }

    /// Reads on to the end of a frame whose content has been read, so that its checksum is verified.
    func finishFrame() throws(GGUFError) {
        var none = unsafe ZSTD_outBuffer(dst: nil, size: 0, pos: 0)
        try unsafe step(&none)
    }

    private func step(_ target: inout ZSTD_outBuffer) throws(GGUFError) {
        let bytes = unsafe mapping.bytes
        var source = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: end, pos: input)
        let written = unsafe target.pos
        let result = unsafe ZSTD_decompressStream(context, &target, &source)
        guard ZSTD_isError(result) == 0 else { throw failure("cannot decompress: \(FrameIndex.name(result))") }
        unsafe input = source.pos
        unsafe position += target.pos - written
    }

    private func failure(_ problem: String) -> GGUFError {
        GGUFError(file: mapping.path, problem: "\(problem), at compressed byte \(input)")
    }
}
