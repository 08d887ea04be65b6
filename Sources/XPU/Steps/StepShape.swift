internal import Compute

/// What a recorded command list was made for: the sizes of a step, rounded up to powers of two. A step runs on the list of its
/// shape; kernels read the true counts from the control block.
struct StepShape: Hashable, Sendable {
    /// Rows, and rows whose logits are wanted.
    let rows: Int
    let outputs: Int
    /// Tiles of tokens that attention takes together, and tokens of a tile: one where every sequence brings one.
    let tiles: Int
    let tileTokens: Int
    /// Splits of the longest row's positions.
    let splits: Int
    let tableEntries: Int
    /// Whether the wanted rows stay on the device and their heads go to the host, and changes of their logits.
    let givesHeads: Bool
    let logitChanges: Int

    /// - Parameter tileTokens: Tokens of a tile where sequences bring several.
    init(_ inputs: borrowing StepInputs, limits: StepLimits, tileTokens: Int, givesHeads: Bool) {
        var end = 1
        var longest = 1
        for sequence in inputs.sequences {
            end = max(end, sequence.firstPosition + sequence.rowCount)
            longest = max(longest, sequence.rowCount)
        }
        self.tileTokens = longest == 1 ? 1 : tileTokens
        var tiles = 0
        for sequence in inputs.sequences { tiles += (sequence.rowCount + self.tileTokens - 1) / self.tileTokens }
        self.tiles = min(Self.bucket(tiles), limits.rows)
        rows = min(Self.bucket(inputs.tokens.count), limits.rows)
        outputs = inputs.outputRows.isEmpty ? 0 : min(Self.bucket(inputs.outputRows.count), limits.outputRows)
        splits = Self.bucket((end + KVCache.splitLength - 1) / KVCache.splitLength)
        tableEntries = Self.bucket(max(16, inputs.blockTables.count))
        self.givesHeads = givesHeads
        logitChanges = givesHeads && !inputs.logitChanges.isEmpty ? Self.bucket(max(256, inputs.logitChanges.count)) : 0
    }

    init(rows: Int, outputs: Int, splits: Int, tableEntries: Int, givesHeads: Bool, logitChanges: Int) {
        self.rows = rows
        self.outputs = outputs
        tiles = rows
        tileTokens = 1
        self.splits = splits
        self.tableEntries = tableEntries
        self.givesHeads = givesHeads
        self.logitChanges = logitChanges
    }

    /// The smallest power of two that is at least `count`.
    private static func bucket(_ count: Int) -> Int {
        count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }
}
