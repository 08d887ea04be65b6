import Dispatch
import Synchronization

/// Frames that do not say their size (pzstd writes such), decompressed in file order by several threads at once. That tells their sizes, and
/// what they hold is kept until it has been read.
struct ReadAhead {
    /// Grows as sizes become known.
    private(set) var index: FrameIndex
    private let mapping: Mapping
    private var threads: Int
    /// Larger frames are not kept in memory: they are read as one stream.
    private let maximumFrame: Int
    /// Ascending and without gaps up to the end of what the index knows.
    private var frames: [DecodedFrame] = []

    private static let maximumThreads = 16

    init(_ mapping: Mapping, _ index: FrameIndex, threads: Int, maximumFrame: Int) {
        self.mapping = mapping
        self.maximumFrame = maximumFrame
        self.index = index
        // One frame alone is read as a stream.
        self.threads = index.unsized.count > 1 ? min(threads, Self.maximumThreads) : 1
    }

    /// Reads the end of a range, as far as it was decompressed for this or for earlier reads.
    /// - Parameter output: Memory of the whole range.
    /// - Returns: The beginning of the range, which is left to read.
    mutating func read(_ range: Range<Int>, into output: UnsafeMutableRawBufferPointer) -> Range<Int> {
        var end = unsafe take(range, into: output)
        while threads > 1, index.knownByteCount < range.upperBound, !index.unsized.isEmpty {
            guard decodeNext() else {
                threads = 1
                return range
            }
            end = min(end, unsafe take(range, into: output))
        }
        return range.lowerBound..<end
    }

    /// Copies what the frames hold of a range and drops those that end in it: reading goes forward.
    /// - Returns: Where the copied part of the range starts.
    private mutating func take(_ range: Range<Int>, into output: UnsafeMutableRawBufferPointer) -> Int {
        var start = range.upperBound
        for frame in frames {
            let part = frame.range.clamped(to: range)
            guard !part.isEmpty else { continue }
            start = min(start, part.lowerBound)
            let from = part.lowerBound - frame.range.lowerBound
            let to = part.lowerBound - range.lowerBound
            unsafe output[to..<to + part.count].copyBytes(from: frame.memory.bytes[from..<from + part.count])
        }
        frames.removeAll { $0.range.upperBound <= range.upperBound }
        return start
    }

    /// Decompresses the next frames, one on each thread.
    /// - Returns: Whether all could be: not where one is too large or broken, which reading it as a stream will tell.
    private mutating func decodeNext() -> Bool {
        let next = Array(index.unsized.prefix(threads))
        let decoded = Mutex<[Int: (AnonymousMemory, Int)]>([:])
        DispatchQueue.concurrentPerform(iterations: next.count) { [mapping, maximumFrame] number in
            guard let result = Self.decode(mapping, next[number], maximumFrame) else { return }
            decoded.withLock { $0[number] = result }
        }
        let results = decoded.withLock { $0 }
        for number in next.indices {
            guard let (memory, count) = results[number] else { return false }
            let start = index.knownByteCount
            index.learn(count)
            frames.append(DecodedFrame(memory: memory, range: start..<start + count))
        }
        return true
    }

    private static func decode(
        _ mapping: Mapping, _ compressed: Range<Int>, _ maximumFrame: Int
    ) -> (AnonymousMemory, Int)? {
        let most = min(maximumFrame, FrameIndex.maximumByteCount(compressed: compressed.count))
        // One byte more shows whether it was all.
        guard let memory = AnonymousMemory(count: most + 1) else { return nil }
        do throws(GGUFError) {
            let decoder = try ZstdDecoder(mapping, compressed: compressed, position: 0)
            let count = try unsafe decoder.decode(into: memory.bytes)
            return count <= most ? (memory, count) : nil
        } catch {
            return nil
        }
    }
}

private struct DecodedFrame {
    let memory: AnonymousMemory
    /// In what the file holds.
    let range: Range<Int>
}
