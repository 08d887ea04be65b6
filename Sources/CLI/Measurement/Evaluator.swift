import Compute
import Models
import Quant

/// Runs tokens through a model, without sampling: several sequences with a fixed share of the KV cache each.
final class Evaluator {
    /// Rows that a step takes at most.
    static let rowsPerStep = 512

    let contextLength: Int
    private let executable: any Executable
    private let blocksPerSequence: Int
    private let blockLength: Int
    private let outputLimit: Int
    private var inputs = StepInputs()
    private var outputs: StepOutputs

    /// - Parameter outputs: Rows of one step whose logits are wanted at most.
    init(_ loaded: LoadedModel, contextLength: Int, sequences: Int = 1, outputs: Int) throws {
        self.contextLength = contextLength
        blockLength = MemoryPlan.blockLength
        blocksPerSequence = (contextLength + blockLength - 1) / blockLength
        outputLimit = outputs
        let program = loaded.model.program
        executable = try loaded.backend.compile(
            program, weights: loaded.weights,
            cache: KVCacheConfiguration(
                format: loaded.cacheFormat.format, blockLength: blockLength, blockCount: blocksPerSequence * sequences),
            limits: StepLimits(rows: max(Self.rowsPerStep, sequences), sequences: sequences, outputRows: outputs))
        self.outputs = StepOutputs(rows: outputs, vocabulary: program.vocabularySize)
    }

    /// A piece of one sequence.
    struct Piece {
        let sequence: Int
        let position: Int
        let tokens: ArraySlice<Int32>
        /// Which of its rows give logits.
        let outputs: Range<Int>
    }

    /// One step over pieces of different sequences.
    func step(_ pieces: [Piece]) throws {
        inputs.removeAll()
        for piece in pieces {
            precondition(piece.position + piece.tokens.count <= contextLength)
            let row = inputs.tokens.count
            inputs.sequences.append(
                StepInputs.Sequence(
                    firstRow: row, rowCount: piece.tokens.count, firstPosition: piece.position,
                    blockTable: inputs.blockTables.count))
            inputs.tokens.append(contentsOf: piece.tokens)
            let first = piece.sequence * blocksPerSequence
            for block in first..<first + blocksPerSequence { inputs.blockTables.append(Int32(block)) }
            for output in piece.outputs { inputs.outputRows.append(Int32(row + output)) }
        }
        precondition(inputs.outputRows.count <= outputLimit)
        try executable.run(inputs, into: &outputs)
    }

    /// The logits of output row `row` of the last step.
    func withLogits<R>(_ row: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        try outputs.withLogits(row: row, body)
    }
}
