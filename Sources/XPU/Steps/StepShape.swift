internal import Compute

/// What a recorded command list was made for: the sizes of a step, rounded up to powers of two. A step runs on the list of its
/// shape; kernels read the true counts from the control block.
struct StepShape: Hashable, Sendable {
    /// Rows, and rows whose logits are wanted.
    let rows: Int
    let outputs: Int
    /// Splits of the longest row's positions.
    let splits: Int
    let tableEntries: Int

    init(_ inputs: borrowing StepInputs, limits: StepLimits) {
        var end = 1
        for sequence in inputs.sequences { end = max(end, sequence.firstPosition + sequence.rowCount) }
        rows = min(Self.bucket(inputs.tokens.count), limits.rows)
        outputs = inputs.outputRows.isEmpty ? 0 : min(Self.bucket(inputs.outputRows.count), limits.outputRows)
        splits = Self.bucket((end + KVCache.splitLength - 1) / KVCache.splitLength)
        tableEntries = Self.bucket(max(16, inputs.blockTables.count))
    }

    init(rows: Int, outputs: Int, splits: Int, tableEntries: Int) {
        self.rows = rows
        self.outputs = outputs
        self.splits = splits
        self.tableEntries = tableEntries
    }

    /// The smallest power of two that is at least `count`.
    private static func bucket(_ count: Int) -> Int {
        count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }
}
