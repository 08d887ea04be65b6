internal import CCPU
internal import Compute

/// Attention over the paged cache. A task is a tile of queries that share a KV head (heads of a group, then neighbouring rows), over
/// all positions or, in steps with few tasks, over one split of them. Tiles are as wide as leaves tasks enough for all workers.
///
/// Positions are always summed in splits of ``SplitStates/length`` that are merged in order, whoever computes them, so the
/// result of a row depends on its own position only.
final class AttentionPhase: Phase {
    private let op: Op.Attention
    private let shape: CacheLayout.Layer
    private let splits: SplitStates
    /// Query heads per KV head.
    private let group: Int
    private let wide: Tiling
    private let narrow: Tiling
    private let counter = WorkCounter()

    init(_ op: Op.Attention, shape: CacheLayout.Layer, splits: SplitStates) {
        self.op = op
        self.shape = shape
        self.splits = splits
        group = op.heads / shape.kvHeads
        wide = Tiling(queries: SplitStates.queries, group: group, kvHeads: shape.kvHeads)
        narrow = Tiling(queries: SplitStates.narrowQueries, group: group, kvHeads: shape.kvHeads)
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        let splitCount = splits.parallelCount(state, kvHeads: shape.kvHeads)
        let isWide = wide.tasks(state) * splitCount >= SplitStates.taskTarget * state.workers
        let tiling = isWide ? wide : narrow
        while true {
            let task = counter.next()
            guard let rows = tiling.rows(task / splitCount / tiling.headTiles, state) else { return }
            let heads = tiling.heads(task / splitCount % tiling.headTiles)
            if splitCount == 1 {
                attendAll(rows, heads, state, worker)
            } else {
                attendSplit(task % splitCount, rows, heads, state, worker)
            }
        }
    }

    private func attendAll(_ rows: Range<Int>, _ heads: Range<Int>, _ state: StepState, _ worker: Int) {
        let floats = splits.stateFloats
        let (states, parts, _, _) = unsafe splits.scratch(state.scratch(worker))
        let positions = positions(rows, state)
        let count = rows.count * heads.count
        for split in positions.lowerBound / SplitStates.length...(positions.upperBound - 1) / SplitStates.length {
            let isFirst = split == positions.lowerBound / SplitStates.length
            unsafe attend(split, rows, heads, state, worker) { query, _, _ in
                unsafe (isFirst ? states : parts) + query * floats
            }
            if !isFirst {
                for query in 0..<count {
                    unsafe state.ops.pointee.attention_merge(
                        states + query * floats, parts + query * floats, Int32(shape.valueLength))
                }
            }
        }
        var query = 0
        for row in rows {
            for head in heads {
                unsafe splits.finish(states + query * floats, op, shape, state, row: row, head: head)
                query += 1
            }
        }
    }

    private func attendSplit(
        _ split: Int, _ rows: Range<Int>, _ heads: Range<Int>, _ state: StepState, _ worker: Int
    ) {
        unsafe attend(split, rows, heads, state, worker) { _, row, head in
            unsafe splits.state(row: row, head: head, split: split)
        }
    }

    /// Positions that some row of a tile sees.
    private func positions(_ rows: Range<Int>, _ state: StepState) -> Range<Int> {
        let (first, last) = unsafe (state.positions[rows.lowerBound], state.positions[rows.upperBound - 1])
        return shape.firstVisible(from: Int(first))..<Int(last) + 1
    }

    /// Attends one split for all queries of a tile into the states that `target(query, row, head)` names.
    private func attend(
        _ split: Int, _ rows: Range<Int>, _ heads: Range<Int>, _ state: StepState, _ worker: Int,
        _ target: (Int, Int, Int) -> UnsafeMutablePointer<Float>
    ) {
        let (_, _, queries, kernel) = unsafe splits.scratch(state.scratch(worker))
        var count = 0
        for row in rows {
            let position = unsafe Int(state.positions[row])
            for head in heads {
                unsafe queries[count] = cpu_attention_query(
                    query: state.row(op.query, row) + head * shape.keyLength,
                    begin: Int32(shape.firstVisible(from: position)), end: Int32(position + 1),
                    state: target(count, row, head))
                count += 1
            }
        }
        var layer = unsafe state.cache.layer(op.layer)
        let sequence = unsafe state.sequences[Int(state.rowSequences[rows.lowerBound])]
        unsafe state.blockTables.withUnsafeBufferPointer { tables in
            guard let blocks = tables.baseAddress else { return }
            unsafe state.ops.pointee.attend(
                &layer, Int32(heads.lowerBound / group), blocks + sequence.table(of: shape),
                Int32(split * SplitStates.length),
                Int32((split + 1) * SplitStates.length), queries, Int32(count), op.scale, op.softcap ?? 0, kernel)
        }
    }
}

/// How the queries of a step are cut into tiles.
private struct Tiling {
    /// Query heads per KV head.
    let group: Int
    let tileHeads: Int
    let tileRows: Int
    /// Tiles of the heads of a group, and of all heads of one row.
    let groupTiles: Int
    let headTiles: Int

    init(queries: Int, group: Int, kvHeads: Int) {
        self.group = group
        tileHeads = min(group, queries)
        tileRows = max(1, queries / group)
        groupTiles = (group + tileHeads - 1) / tileHeads
        headTiles = kvHeads * groupTiles
    }

    /// Tiles of a step.
    func tasks(_ state: StepState) -> Int {
        state.sequences.reduce(0) { $0 + ($1.rowCount + tileRows - 1) / tileRows } * headTiles
    }

    /// The rows of a tile: sequences in order, within a sequence the last rows, which see most, first.
    func rows(_ index: Int, _ state: StepState) -> Range<Int>? {
        var index = index
        for sequence in state.sequences {
            let tiles = (sequence.rowCount + tileRows - 1) / tileRows
            if index < tiles {
                let first = sequence.firstRow + (tiles - 1 - index) * tileRows
                return first..<min(first + tileRows, sequence.firstRow + sequence.rowCount)
            }
            index -= tiles
        }
        return nil
    }

    func heads(_ headTile: Int) -> Range<Int> {
        let first = headTile / groupTiles * group + headTile % groupTiles * tileHeads
        return first..<min(first + tileHeads, (headTile / groupTiles + 1) * group)
    }
}

/// Joins the splits of a row where ``AttentionPhase`` left them apart.
struct AttentionMergeKernel: RowKernel {
    let op: Op.Attention
    let shape: CacheLayout.Layer
    let splits: SplitStates

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        guard splits.parallelCount(state, kvHeads: shape.kvHeads) > 1 else { return }
        for row in rows {
            let last = unsafe Int(state.positions[row]) / SplitStates.length
            for head in 0..<op.heads {
                let total = unsafe splits.state(row: row, head: head, split: 0)
                for split in 0..<last {
                    unsafe state.ops.pointee.attention_merge(
                        total, splits.state(row: row, head: head, split: split + 1), Int32(shape.valueLength))
                }
                unsafe splits.finish(total, op, shape, state, row: row, head: head)
            }
        }
    }
}
