internal import Compute
package import Tokenizer

// Sequences with a stretch of the cache each.
extension Runtime {
    /// Consecutive tokens of one of ``Configuration/sequences``, each of which has its own stretch of the cache: for work that
    /// shares nothing, such as measurements.
    package struct Chunk {
        package var sequence: Int
        package var tokens: ArraySlice<TokenID>
        /// Position of the first token; all earlier positions of the sequence must have been run.
        package var position: Int
        /// How many of the last tokens of the chunk deliver logits.
        package var outputs: Int

        package init(sequence: Int = 0, tokens: ArraySlice<TokenID>, position: Int, outputs: Int) {
            self.sequence = sequence
            self.tokens = tokens
            self.position = position
            self.outputs = outputs
        }

        fileprivate var end: Int { position + tokens.count }
    }

    /// Runs one step. Afterwards ``withLogits(_:_:)`` gives the rows that the chunks asked for, in order.
    package func step(_ chunks: [Chunk]) throws(EngineError) {
        inputs.removeAll()
        for chunk in chunks {
            precondition(chunk.end <= configuration.contextLength)
            inputs.append(chunk.tokens, position: chunk.position, outputs: chunk.outputs)
            stretches.append(chunk.sequence, chunk.position..<chunk.end, to: &inputs)
        }
        defer { for chunk in chunks { stretches.slide(chunk.sequence, to: chunk.end) } }
        try step(inputs)
    }

    /// Runs `tokens` as the start of a sequence, in chunks, and calls `body(index, logits)` for every index from `first` on.
    package func run(
        _ tokens: [TokenID], sequence: Int = 0, from position: Int = 0, logitsFrom first: Int,
        _ body: (Int, Span<Float>) throws(EngineError) -> Void
    ) throws(EngineError) {
        var start = 0
        while start < tokens.count {
            var end = min(start + configuration.stepRows, tokens.count)
            if end > first { end = min(end, max(start, first) + configuration.outputRows) }
            let outputs = max(0, end - max(start, first))
            try step([
                Chunk(sequence: sequence, tokens: tokens[start..<end], position: position + start, outputs: outputs)
            ])
            for row in 0..<outputs {
                try withLogits(row) { (logits) throws(EngineError) in try body(end - outputs + row, logits) }
            }
            start = end
        }
    }
}

/// The blocks of sequences that share nothing.
struct CacheStretches {
    /// Blocks of each sequence.
    private let blocks: Int
    private let reach: Scheduler.Windows?
    private var windows: WindowBlocks
    /// Places whose window blocks each sequence holds.
    private var held: [Range<Int>]

    init(_ configuration: Runtime.Configuration, _ windows: Scheduler.Windows?) {
        blocks = configuration.blocksPerSequence
        reach = windows
        self.windows = WindowBlocks(owners: configuration.blockCount, count: windows?.blocks ?? 0)
        held = Array(repeating: 0..<0, count: configuration.sequences)
    }

    /// Appends the tables of a sequence for rows at `positions`.
    mutating func append(_ sequence: Int, _ positions: Range<Int>, to inputs: inout StepInputs) {
        let first = sequence * blocks
        let end = BlockPool.blocks(for: positions.upperBound)
        for place in 0..<end { inputs.blockTables.append(Int32(first + place)) }
        guard let reach else { return }
        hold(sequence, reach.firstPlace(from: positions.lowerBound)..<end)
        inputs.beginWindowTable()
        for place in 0..<end {
            inputs.blockTables.append(held[sequence].contains(place) ? windows[Int32(first + place)] ?? 0 : 0)
        }
    }

    /// Lets go what a row at `position` does not reach.
    mutating func slide(_ sequence: Int, to position: Int) {
        guard let reach else { return }
        let end = BlockPool.blocks(for: position)
        hold(sequence, min(reach.firstPlace(from: position), end)..<end)
    }

    private mutating func hold(_ sequence: Int, _ places: Range<Int>) {
        let first = sequence * blocks
        for place in held[sequence] where !places.contains(place) { windows.release(Int32(first + place)) }
        for place in places where !held[sequence].contains(place) { windows.hold(Int32(first + place)) }
        held[sequence] = places
    }
}
