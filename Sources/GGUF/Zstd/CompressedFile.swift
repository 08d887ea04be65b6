import Dispatch
import Synchronization

/// A zstd-compressed file. Tensors are decompressed into memory of their own when they are read; nothing else is kept.
final class CompressedFile: Storage {
    /// Bytes that a file may hold per compressed byte, beyond ``freeBytes``. The format allows much more; quantized weights hardly shrink.
    private static let maximumRatio = 1 << 10
    private static let freeBytes = 1 << 26
    /// Longest header.
    private static let maximumHeader = 1 << 28
    /// A tensor in several frames is decompressed by several threads if it has this many bytes.
    static let parallelBytes = 1 << 20
    /// Decoders kept where they are, each with its window, for reads that go on from there.
    private static let idleDecoders = 4

    private let mapping: Mapping
    private let ahead: Mutex<ReadAhead>
    private let idle = Mutex<[ZstdDecoder]>([])
    private let threads: Int
    let contentLimit: Int

    /// - Parameters:
    ///   - threads: The most threads that decompress one tensor; by default one for each processor.
    ///   - maximumFrame: The most bytes of a frame that does not say its size for it to be decompressed beside others.
    init(
        _ mapping: Mapping, threads: Int = ProcessorCount.online, maximumFrame: Int = 1 << 26
    ) throws(GGUFError) {
        self.mapping = mapping
        self.threads = threads
        let index = try FrameIndex(mapping)
        ahead = Mutex(ReadAhead(mapping, index, threads: threads, maximumFrame: maximumFrame))
        let fileByteCount = mapping.fileByteCount
        // A mapped size is far from overflowing.
        let plausible = fileByteCount * Self.maximumRatio + Self.freeBytes
        contentLimit = index.contentByteCount ?? plausible
        guard contentLimit <= plausible else {
            throw GGUFError(
                file: mapping.path,
                problem: "claims to hold \(contentLimit) bytes in \(fileByteCount), more than any model shrinks")
        }
    }

    var path: String { mapping.path }
    var fileByteCount: Int { mapping.fileByteCount }

    func withHeader<R>(_ body: (inout HeaderReader) throws(GGUFError) -> R) throws(GGUFError) -> R {
        let limit = min(contentLimit, Self.maximumHeader)
        let first = ahead.withLock { $0.index.segments[0] }
        let header = try GrowingHeader(ZstdDecoder(mapping, from: first), limit: limit, file: path)
        var reader = unsafe HeaderReader(file: path, limit: limit) { count throws(GGUFError) in
            try unsafe header.extend(to: count)
        }
        return try body(&reader)
    }

    func read(_ tensor: TensorInfo) throws(GGUFError) -> TensorData {
        func failure(_ problem: String) -> GGUFError {
            GGUFError(file: path, place: .tensor(tensor.name), problem: problem)
        }
        guard let memory = AnonymousMemory(count: tensor.byteCount) else {
            throw failure("cannot allocate its \(tensor.byteCount) bytes")
        }
        let (index, rest) = ahead.withLock { ahead in
            let rest = unsafe ahead.read(tensor.range, into: memory.bytes)
            return (ahead.index, rest)
        }
        if rest.isEmpty { return TensorData(memory) }
        let pieces = pieces(rest, index)
        let failures = Mutex<[(Int, GGUFError)]>([])
        @Sendable func run(_ piece: Int) {
            do throws(GGUFError) {
                try decompress(pieces[piece], of: tensor, into: memory, index)
            } catch {
                failures.withLock { $0.append((piece, error)) }
            }
        }
        if pieces.count == 1 { run(0) } else { DispatchQueue.concurrentPerform(iterations: pieces.count, execute: run) }
        if let (_, first) = failures.withLock({ $0.min { $0.0 < $1.0 } }) { throw failure(first.problem) }
        return TensorData(memory)
    }

    /// Cuts a range at segments into about equal pieces for the threads.
    private func pieces(_ range: Range<Int>, _ index: FrameIndex) -> [Range<Int>] {
        guard threads > 1, range.count >= Self.parallelBytes else { return [range] }
        let size = (range.count + threads - 1) / threads
        var pieces: [Range<Int>] = []
        var start = range.lowerBound
        for segment in index.segments[(index.segment(at: start) + 1)...] where segment.start < range.upperBound {
            if segment.start - start >= size {
                pieces.append(start..<segment.start)
                start = segment.start
            }
        }
        return pieces + [start..<range.upperBound]
    }

    private func decompress(
        _ range: Range<Int>, of tensor: TensorInfo, into memory: AnonymousMemory, _ index: FrameIndex
    ) throws(GGUFError) {
        let decoder = try decoder(for: range.lowerBound, index)
        try decoder.skip(to: range.lowerBound)
        let first = range.lowerBound - tensor.offset
        let output = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[first..<first + range.count])
        guard try unsafe decoder.decode(into: output) == range.count else {
            throw GGUFError(file: path, problem: "the compressed data ends at byte \(decoder.position)")
        }
        let segment = index.segments[index.segment(at: range.upperBound - 1)]
        if let count = segment.count, segment.start + count == range.upperBound { try decoder.finishFrame() }
        idle.withLock { idle in
            if idle.count == Self.idleDecoders { idle.removeFirst() }
            idle.append(decoder)
        }
    }

    /// The decoder that is nearest before `offset` in its segment, or a new one.
    private func decoder(for offset: Int, _ index: FrameIndex) throws(GGUFError) -> ZstdDecoder {
        let segment = index.segments[index.segment(at: offset)]
        let found = idle.withLock { idle -> ZstdDecoder? in
            let usable = idle.indices.filter { (segment.start...offset).contains(idle[$0].position) }
            guard let nearest = usable.max(by: { idle[$0].position < idle[$1].position }) else { return nil }
            return idle.remove(at: nearest)
        }
        return if let found { found } else { try ZstdDecoder(mapping, from: segment) }
    }
}

/// The start of a compressed file, decompressed as far as it was asked for.
@safe
private final class GrowingHeader {
    private let decoder: ZstdDecoder
    private let limit: Int
    private let file: String
    private var memory: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ decoder: ZstdDecoder, limit: Int, file: String) {
        self.decoder = decoder
        self.limit = limit
        self.file = file
        unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    deinit { unsafe memory.deallocate() }

    /// The first `wanted` bytes, or all if there are fewer. What was returned before becomes invalid.
    func extend(to wanted: Int) throws(GGUFError) -> UnsafeRawBufferPointer {
        while count < wanted {
            if unsafe count == memory.count { grow() }
            let read = try unsafe decoder.decode(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
            if read == 0 { break }
            count += read
        }
        return unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
    }

    /// Doubles the memory: it follows the bytes that really came, not the lengths that the file claims.
    private func grow() {
        let size = unsafe min(limit, max(1 << 16, memory.count * 2))
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }
}
