internal import Compute
internal import Quant

/// Brings borrowed matrices into the kernels' layout piece by piece between steps, so that a first token does not wait for it.
final class LateRepacking: Sendable {
    struct Borrowed: Sendable {
        let matrix: PackedMatrix
        let bytes: WeightBytes
    }

    private let borrowed: [Borrowed]
    private let pool: WorkerPool

    init(_ borrowed: [Borrowed] = [], on pool: WorkerPool) {
        self.borrowed = borrowed
        self.pool = pool
    }

    /// Bytes of a piece, at most one row group more: a few milliseconds.
    private static let pieceBytes = 16 << 20

    /// Repacks the next piece, unless there is none. On one thread at a time.
    ///
    /// - Parameter matrix: Index of the first matrix that may not be repacked; moved on.
    /// - Returns: Whether something was repacked.
    func next(_ matrix: inout Int) -> Bool {
        var left = Self.pieceBytes
        while matrix < borrowed.count {
            let (packed, bytes) = (borrowed[matrix].matrix, borrowed[matrix].bytes)
            let groups = packed.nextGroups(bytes: left)
            if groups.isEmpty {
                matrix += 1
                continue
            }
            packed.forEachPart(of: groups, on: pool) { _, part in
                unsafe packed.pack(expert: part.expert, rowGroups: part.rowGroups, from: bytes.base + part.expertOffset)
                // Whoever still reads them there has them back at once.
                bytes.evict(part.bytes)
            }
            packed.finish(groups)
            left -= groups.count * packed.groupBytes
            if left <= 0 { break }
        }
        return left < Self.pieceBytes
    }
}
