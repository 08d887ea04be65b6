internal import Glibc

/// One ragged batch: rows of many sequences, prompt chunks and single tokens mixed.
///
/// Arrays are reused from step to step; nothing here allocates once they have grown to the step limits.
package struct StepInputs: Sendable {
    /// Rows of one sequence in this step: consecutive rows at consecutive positions.
    package struct Sequence: Sendable {
        package var firstRow: Int
        package var rowCount: Int
        /// Position of the first row; the KV cache holds all earlier positions.
        package var firstPosition: Int
        /// Where this sequence's block table starts in ``StepInputs/blockTables``.
        package var blockTable: Int
        /// Where its table of the windowed layers' blocks starts there. Entries out of the rows' reach mean nothing.
        package var windowTable: Int

        /// - Parameter windowTable: `blockTable` where none is given.
        package init(firstRow: Int, rowCount: Int, firstPosition: Int, blockTable: Int, windowTable: Int? = nil) {
            self.firstRow = firstRow
            self.rowCount = rowCount
            self.firstPosition = firstPosition
            self.blockTable = blockTable
            self.windowTable = windowTable ?? blockTable
        }

        /// Where the block table of a layer starts.
        package func table(of layer: CacheLayout.Layer) -> Int { layer.reach == nil ? blockTable : windowTable }
    }

    package var tokens: [Int32] = []
    package var sequences: [Sequence] = []
    /// Concatenated block tables: entry `i` of a table is the pool block of positions `i * blockLength ..< (i + 1) * blockLength`.
    package var blockTables: [Int32] = []
    /// Rows whose logits are wanted, ascending.
    package var outputRows: [Int32] = []
    /// How each output row is processed for its head; empty where all rows are wanted themselves. Backends that give no heads
    /// (``Executable/givesHeads``) ignore it.
    package var heads: [HeadRequest] = []
    /// What ``heads`` refer to.
    package var logitChanges: [LogitChange] = []

    /// Whether the head of any row is wanted.
    package var wantsHeads: Bool { heads.contains { $0.isWanted } }

    /// - Parameter blocks: Entries that the block tables of one sequence take at most.
    package init(limits: StepLimits, blocks: Int) {
        tokens.reserveCapacity(limits.rows)
        sequences.reserveCapacity(limits.sequences)
        blockTables.reserveCapacity(limits.sequences * blocks)
        outputRows.reserveCapacity(limits.outputRows)
        heads.reserveCapacity(limits.outputRows)
    }

    package init() {}

    /// Adds a sequence's next rows: `tokens`, then `drafts`. Its block table has to be appended to ``blockTables`` next, and where the
    /// model has windowed layers, after ``beginWindowTable()``, their table.
    ///
    /// - Parameters:
    ///   - position: Position of the first row.
    ///   - outputs: How many of the last rows deliver logits.
    package mutating func append(
        _ tokens: ArraySlice<Int32>, drafts: ArraySlice<Int32> = [], position: Int, outputs: Int
    ) {
        let firstRow = self.tokens.count
        let count = tokens.count + drafts.count
        sequences.append(
            .init(firstRow: firstRow, rowCount: count, firstPosition: position, blockTable: blockTables.count))
        self.tokens.append(contentsOf: tokens)
        self.tokens.append(contentsOf: drafts)
        for row in firstRow + count - outputs..<firstRow + count { outputRows.append(Int32(row)) }
    }

    /// The next entries of ``blockTables`` are the last sequence's table of the windowed layers.
    package mutating func beginWindowTable() { sequences[sequences.count - 1].windowTable = blockTables.count }

    package mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        sequences.removeAll(keepingCapacity: true)
        blockTables.removeAll(keepingCapacity: true)
        outputRows.removeAll(keepingCapacity: true)
        heads.removeAll(keepingCapacity: true)
        logitChanges.removeAll(keepingCapacity: true)
    }
}

/// Logits of one step, `[outputRows, vocabulary]`, in host memory, or heads of them.
@safe
package struct StepOutputs: ~Copyable {
    package let rows: Int
    package let vocabulary: Int
    private let storage: UnsafeMutableBufferPointer<Float>
    private let heads: HeadStorage

    /// - Throws: ``BackendError/outOfMemory(_:)``
    package init(rows: Int, vocabulary: Int) throws(BackendError) {
        let heads = try HeadStorage(rows: rows, vocabulary: vocabulary)
        // Zeroed memory from the system takes no pages before they are written.
        guard let memory = unsafe calloc(rows * vocabulary, MemoryLayout<Float>.stride) else {
            throw .outOfMemory(rows * vocabulary * MemoryLayout<Float>.stride)
        }
        self.rows = rows
        self.vocabulary = vocabulary
        unsafe storage = .init(start: memory.assumingMemoryBound(to: Float.self), count: rows * vocabulary)
        self.heads = heads
    }

    deinit { unsafe free(storage.baseAddress) }

    /// What the last step handed out of a row: set by the backend that gives heads.
    package subscript(row: Int) -> RowDelivery {
        get { heads[row] }
        set { heads[row] = newValue }
    }

    package func withHead<R, E: Error>(row: Int, _ body: (RowHead) throws(E) -> R) throws(E) -> R {
        precondition(self[row].isProcessed, "row \(row) has no head")
        return try heads.with(row, body)
    }

    /// The words of a head (``HeadLayout``), for the backend that fills them.
    package func headBuffer(row: Int) -> UnsafeMutableBufferPointer<UInt32> { unsafe heads.buffer(row) }

    package func withLogits<R, E: Error>(row: Int, _ body: (Span<Float>) throws(E) -> R) throws(E) -> R {
        precondition(row >= 0 && row < rows)
        precondition(self[row].hasRow, "row \(row) is still on the device")
        return try unsafe body(UnsafeBufferPointer(rebasing: storage[row * vocabulary..<(row + 1) * vocabulary]).span)
    }

    /// A block of a row whose head has come, where the block has been fetched or the row.
    package func withBlock<R>(_ block: Int, row: Int, _ body: (RowBlock) -> R) -> R {
        precondition(
            self[row].hasRow || self[row].block == block, "block \(block) of row \(row) is still on the device")
        let tokens = Self.tokens(of: block, vocabulary: vocabulary)
        let start = row * vocabulary
        let logits = unsafe UnsafeBufferPointer(
            rebasing: storage[start + tokens.lowerBound..<start + tokens.upperBound])
        return unsafe body(RowBlock(index: block, logits: logits.span))
    }

    /// The tokens of a block.
    package static func tokens(of block: Int, vocabulary: Int) -> Range<Int> {
        let first = block * HeadLayout.blockLength
        precondition(block >= 0 && first < vocabulary, "there is no block \(block)")
        return first..<min(first + HeadLayout.blockLength, vocabulary)
    }

    /// The whole matrix, for the backend that fills it.
    package var buffer: UnsafeMutableBufferPointer<Float> { unsafe storage }
}
