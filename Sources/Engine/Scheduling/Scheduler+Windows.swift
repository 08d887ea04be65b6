/// The window blocks of sequences: each holds those of the places in its ``Sequence/window``, which are the ones that its next row's
/// windowed layers reach.
extension Scheduler {
    /// What windowed layers need.
    package struct Windows: Sendable {
        /// Positions that they see at most, the row's own included.
        package var reach: Int
        /// Window blocks: ``blocks(reach:sequences:rows:)``, or as many as there are blocks.
        package var blocks: Int

        package init(reach: Int, blocks: Int) {
            self.reach = reach
            self.blocks = blocks
        }

        /// Window blocks that `sequences` of any length use at most while a step runs `rows` of them together.
        package static func blocks(reach: Int, sequences: Int, rows: Int) -> Int {
            // A sequence with n rows in the step reaches reach - 1 + n positions, and k positions in a row touch
            // (k + 30) / 32 + 1 blocks at most.
            sequences * (BlockPool.blocks(for: reach + BlockPool.blockLength - 3) + 1) + BlockPool.blocks(for: rows)
        }

        /// The block of the first position that a row at `position` reaches.
        package func firstPlace(from position: Int) -> Int { max(0, position - reach + 1) / BlockPool.blockLength }
    }

    /// Whether more sequences run than there are window blocks for.
    var lacksWindows: Bool { windows != nil && running.count > limits.batchSize }

    /// Holds window blocks for all positions up to `positions`.
    mutating func growWindow(of index: Int, to positions: Int) {
        guard windows != nil else { return }
        let end = BlockPool.blocks(for: positions)
        guard end > running[index].window.upperBound else { return }
        for place in running[index].window.upperBound..<end { pool.holdWindow(of: running[index].table[place]) }
        running[index].window = running[index].window.lowerBound..<end
    }

    /// Holds just the window blocks that are in reach of the next row and computed.
    mutating func slideWindow(of index: Int) {
        guard let windows else { return }
        let held = running[index].window
        let end = BlockPool.blocks(for: running[index].computed)
        let start = min(windows.firstPlace(from: running[index].computed), end)
        for place in held where place < start || place >= end { pool.releaseWindow(of: running[index].table[place]) }
        for place in start..<end where !held.contains(place) { pool.holdWindow(of: running[index].table[place]) }
        running[index].window = start..<end
    }

    mutating func releaseWindow(of index: Int, from start: Int = 0) {
        let held = running[index].window
        for place in held where place >= start { pool.releaseWindow(of: running[index].table[place]) }
        running[index].window = held.lowerBound..<max(held.lowerBound, min(held.upperBound, start))
    }

    /// Appends the first `count` entries of a sequence's table of window blocks. Those out of reach are 0.
    package func appendWindowTable(of sequence: Sequence, _ count: Int, to table: inout [Int32]) {
        for place in 0..<count {
            table.append(sequence.window.contains(place) ? pool.window(of: sequence.table[place]) ?? 0 : 0)
        }
    }
}
