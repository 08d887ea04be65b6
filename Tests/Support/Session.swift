package import Compute
import Quant

/// A compiled program and the means to run steps on it.
package final class Session {
    package let program: Program
    private let executable: any Executable
    private let blocks: Int
    /// Blocks that windowed layers have for each sequence, used in turn.
    private let windowBlocks: Int?
    package static let limits = StepLimits(rows: 160, sequences: 70, outputRows: 160)
    /// Seconds that each operation took in all steps so far; `nil` leaves them unmeasured.
    package var times: [Double]?

    package init(
        _ program: Program, _ weights: some WeightSource, on backend: any Backend, kv: KVFormat = .f32,
        positions: Int = 192, windowBlocks: Int? = nil
    ) throws {
        self.program = program
        self.windowBlocks = windowBlocks
        blocks = (positions + 31) / 32
        executable = try backend.compile(
            program, weights: try backend.load(weights, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(
                format: kv.format, blockCount: blocks * 72, windowBlockCount: windowBlocks.map { $0 * 72 }),
            limits: Self.limits)
    }

    /// Tokens of one sequence in a step, logits wanted for all of them.
    package struct Part {
        package var sequence: Int
        package var position: Int
        package var tokens: [Int32]

        package init(sequence: Int, position: Int, tokens: [Int32]) {
            self.sequence = sequence
            self.position = position
            self.tokens = tokens
        }
    }

    /// The logits of every row that `wants` asks for, in order.
    package func step(_ parts: [Part], wants: (Int) -> Bool = { _ in true }) throws -> [[Float]] {
        var inputs = StepInputs()
        for part in parts {
            inputs.sequences.append(
                .init(
                    firstRow: inputs.tokens.count, rowCount: part.tokens.count, firstPosition: part.position,
                    blockTable: inputs.blockTables.count))
            // Blocks of a sequence are scattered over the pool.
            inputs.blockTables += (0..<blocks).map { Int32(($0 * 72 + part.sequence * 5) % (blocks * 72)) }
            if let windowBlocks {
                inputs.beginWindowTable()
                inputs.blockTables += (0..<blocks).map { Int32(part.sequence * windowBlocks + $0 % windowBlocks) }
            }
            inputs.outputRows += (0..<part.tokens.count).map { inputs.tokens.count + $0 }.filter(wants).map {
                Int32($0)
            }
            inputs.tokens += part.tokens
        }
        var outputs = try StepOutputs(rows: inputs.outputRows.count, vocabulary: program.vocabularySize)
        if var times {
            try executable.run(inputs, into: &outputs, timing: &times)
            self.times = times
        } else {
            try executable.run(inputs, into: &outputs)
        }
        return (0..<inputs.outputRows.count).map { row in
            outputs.withLogits(row: row) { logits in logits.indices.map { logits[$0] } }
        }
    }

    /// The logits of a whole sequence run in chunks of the given sizes (the last repeats).
    package func run(_ tokens: [Int32], chunks: [Int], sequence: Int = 0) throws -> [[Float]] {
        var logits: [[Float]] = []
        var position = 0
        var chunk = 0
        while position < tokens.count {
            let count = min(chunks[min(chunk, chunks.count - 1)], tokens.count - position)
            logits += try step([
                Part(sequence: sequence, position: position, tokens: Array(tokens[position..<position + count]))
            ])
            position += count
            chunk += 1
        }
        return logits
    }
}

/// Largest difference relative to the largest magnitude of the reference.
package func relativeError(_ a: [[Float]], _ reference: [[Float]]) -> Float {
    let top = reference.flatMap { $0 }.map(abs).max() ?? 1
    return zip(a.joined(), reference.joined()).map { abs($0 - $1) }.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
        / top
}

/// Whether all logits are the same to the bit. (A plain comparison would print them all when it fails.)
package func identical(_ a: [[Float]], _ b: [[Float]]) -> Bool {
    a.map { $0.map(\.bitPattern) } == b.map { $0.map(\.bitPattern) }
}
