package import Compute
internal import GGUF
package import Models
package import Tokenizer

/// A model on a device, ready to run steps: weights loaded, program compiled, one stretch of the KV cache for each of a fixed number of
/// sequences. Confined to one thread at a time.
package final class Runtime {
    package struct Configuration: Sendable {
        /// Positions of each sequence.
        package var contextLength: Int
        package var kvFormat: KVFormat
        package var sequences = 1
        /// Rows of the largest step: longer prompts run in chunks.
        package var stepRows = 512
        /// Rows of logits that one step can deliver.
        package var outputRows = 32

        package init(contextLength: Int, kvFormat: KVFormat) {
            self.contextLength = contextLength
            self.kvFormat = kvFormat
        }
    }

    /// Consecutive tokens of one sequence, as part of a step.
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
    }

    package let model: Model
    package let tokenizer: Tokenizer
    package let configuration: Configuration
    package let device: DeviceInfo
    /// Bytes of memory that the weights occupy on the device.
    package let weightBytes: Int

    private let executable: any Executable
    private var inputs: StepInputs
    private var outputs: StepOutputs
    private let blocksPerSequence: Int
    private static let blockLength = 32

    /// - Parameter progress: Gets the share of the weights that is loaded, on any thread.
    package init(
        _ model: Model, _ tokenizer: Tokenizer, on backend: some Backend, _ configuration: Configuration,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws(EngineError) {
        guard tokenizer.vocabulary.count <= model.vocabularySize else {
            throw .vocabulary(
                path: model.file.path, tokens: tokenizer.vocabulary.count, logits: model.vocabularySize)
        }
        let model = try Self.planned(model, configuration)
        self.model = model
        self.tokenizer = tokenizer
        self.configuration = configuration
        device = backend.device
        blocksPerSequence = (configuration.contextLength + Self.blockLength - 1) / Self.blockLength
        outputs = StepOutputs(rows: configuration.outputRows, vocabulary: model.vocabularySize)
        for op in model.program.ops where !backend.supports(op) {
            throw .backend(path: model.file.path, .unsupported("an operation that the model needs"))
        }
        let blockCount = blocksPerSequence * configuration.sequences
        let limits = StepLimits(
            rows: configuration.stepRows, sequences: configuration.sequences, outputRows: configuration.outputRows)
        inputs = StepInputs(limits: limits, blocks: blockCount)
        do {
            let weights = try backend.load(model.weights, for: model.program, progress: progress)
            weightBytes = weights.byteCount
            executable = try backend.compile(
                model.program, weights: weights,
                cache: KVCacheConfiguration(
                    format: configuration.kvFormat.format, blockLength: Self.blockLength,
                    blockCount: blockCount),
                limits: limits)
        } catch {
            throw .backend(path: model.file.path, error)
        }
    }

    private static func planned(_ model: Model, _ configuration: Configuration) throws(EngineError) -> Model {
        do { return try model.planned(forContext: configuration.contextLength) } catch { throw .model(error) }
    }

    /// Runs one step. Afterwards ``withLogits(_:_:)`` gives the rows that the chunks asked for, in order.
    package func step(_ chunks: [Chunk]) throws(EngineError) {
        inputs.removeAll()
        for chunk in chunks {
            let end = chunk.position + chunk.tokens.count
            precondition(chunk.sequence < configuration.sequences && end <= configuration.contextLength)
            let firstRow = inputs.tokens.count
            inputs.sequences.append(
                .init(
                    firstRow: firstRow, rowCount: chunk.tokens.count, firstPosition: chunk.position,
                    blockTable: inputs.blockTables.count))
            let firstBlock = chunk.sequence * blocksPerSequence
            for block in 0..<(end + Self.blockLength - 1) / Self.blockLength {
                inputs.blockTables.append(Int32(firstBlock + block))
            }
            inputs.tokens.append(contentsOf: chunk.tokens)
            for row in chunk.tokens.count - chunk.outputs..<chunk.tokens.count {
                inputs.outputRows.append(Int32(firstRow + row))
            }
        }
        do { try executable.run(inputs, into: &outputs) } catch { throw .backend(path: model.file.path, error) }
    }

    /// The logits of an output row of the last step.
    package func withLogits<R, E: Error>(_ row: Int, _ body: (Span<Float>) throws(E) -> R) throws(E) -> R {
        try outputs.withLogits(row: row, body)
    }

    /// Runs `tokens` as the start of a sequence, in chunks, and calls `body(index, logits)` for every index from `first` on.
    ///
    /// - Parameter shouldContinue: Asked before each step; `false` ends the run early.
    /// - Returns: Whether all tokens were run.
    @discardableResult
    package func run(
        _ tokens: [TokenID], sequence: Int = 0, from position: Int = 0, logitsFrom first: Int,
        shouldContinue: () -> Bool = { true }, _ body: (Int, Span<Float>) throws(EngineError) -> Void
    ) throws(EngineError) -> Bool {
        var start = 0
        while start < tokens.count {
            guard shouldContinue() else { return false }
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
        return true
    }
}
