internal import Compute
internal import Quant
internal import Synchronization

/// The weights of a program in the forms in which its operations read them.
final class CPUWeights: LoadedWeights {
    /// Multiplied; by weight index.
    let matrices: [PackedMatrix?]
    /// Norm weights, biases, sinks; by weight index.
    let vectors: [FloatVector?]
    /// Looked up row by row; by weight index.
    let tables: [EmbeddingTable?]
    let byteCount: Int
    private let repacking: LateRepacking?
    /// Where settling goes on: the next borrowed matrix, the next byte on small pages.
    private let unsettled = Mutex<(borrowed: Int, matrix: Int, offset: Int)>((0, 0, 0))

    init(
        matrices: [PackedMatrix?], vectors: [FloatVector?], tables: [EmbeddingTable?], repacking: LateRepacking? = nil
    ) {
        self.repacking = repacking
        self.matrices = matrices
        self.vectors = vectors
        self.tables = tables
        byteCount =
            matrices.reduce(0) { $0 + ($1?.byteCount ?? 0) } + vectors.reduce(0) { $0 + ($1?.count ?? 0) * 4 }
    }

    /// Repacking takes as long as some ten steps and gains a fifth of each: a process that goes on had better begin soon, and one that
    /// wants a token or two had better not.
    private static let stepsBeforeRepacking = 2
    /// Huge pages gain less, and take longer.
    private static let stepsBeforeHugePages = 1000

    func settle(afterSteps steps: Int, within time: Duration) -> Bool {
        guard steps >= Self.stepsBeforeRepacking else { return true }
        let start = ContinuousClock.now
        return unsettled.withLock { next in
            while repacking?.next(&next.borrowed) == true {
                if ContinuousClock.now - start >= time { return true }
            }
            return steps < Self.stepsBeforeHugePages || moveOntoHugePages(&next.matrix, &next.offset)
        }
    }

    private func moveOntoHugePages(_ next: inout Int, _ offset: inout Int) -> Bool {
        while next < matrices.count {
            if let matrix = matrices[next], offset < matrix.byteCount {
                matrix.settle(at: offset)
                offset += HugePages.piece
                return true
            }
            (next, offset) = (next + 1, 0)
        }
        return false
    }
}

/// Values decoded to `Float`, at a fixed address.
@safe
final class FloatVector: Sendable {
    nonisolated(unsafe) let base: UnsafePointer<Float>
    let count: Int

    /// Decodes `count` values, a whole number of blocks of `format`.
    init(_ format: Format, _ source: UnsafeRawPointer, count: Int) {
        let values = UnsafeMutablePointer<Float>.allocate(capacity: count)
        for block in 0..<count / format.blockLength {
            unsafe format.decodeBlock(source + block * format.blockBytes, values + block * format.blockLength)
        }
        unsafe base = UnsafePointer(values)
        self.count = count
    }

    deinit { unsafe base.deallocate() }
}

/// An embedding table as it lies in the file: a step decodes the few rows that it needs.
@safe
final class EmbeddingTable: Sendable {
    private let bytes: WeightBytes
    private let format: Format
    private let rowBytes: Int
    let rows: Int
    let columns: Int

    init(_ bytes: WeightBytes, _ format: Format, rows: Int, columns: Int, rowBytes: Int) {
        self.bytes = bytes
        self.format = format
        self.rowBytes = rowBytes
        self.rows = rows
        self.columns = columns
    }

    func decode(_ row: Int, into output: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < rows, "token \(row) is not in the vocabulary")
        unsafe PackedMatrix.decodeRow(format, bytes.base + row * rowBytes, columns: columns, into: output)
    }
}
