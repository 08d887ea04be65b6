package import Compute
internal import GGUF
package import Models
package import Tokenizer

/// A model on a device, ready to run steps: weights loaded, program compiled, one pool of KV-cache blocks. Confined to one thread at a
/// time.
package final class Runtime {
    package struct Configuration: Sendable {
        /// Positions of each sequence.
        package var contextLength: Int
        package var kvFormat: KVFormat
        /// Sequences of the largest step.
        package var sequences = 1
        /// Rows of the largest step: longer prompts run in chunks.
        package var stepRows = 512
        /// Rows of logits that one step can deliver.
        package var outputRows = 32
        /// Positions that the cache holds for all sequences together; `nil` for the whole context of each.
        package var cachePositions: Int?

        package init(contextLength: Int, kvFormat: KVFormat) {
            self.contextLength = contextLength
            self.kvFormat = kvFormat
        }

        /// Blocks that one sequence takes at most.
        package var blocksPerSequence: Int { BlockPool.blocks(for: contextLength) }

        /// Blocks of the cache: never fewer than one sequence can take.
        package var blockCount: Int {
            guard let cachePositions else { return sequences * blocksPerSequence }
            return max(BlockPool.blocks(for: cachePositions), blocksPerSequence)
        }
    }

    package let model: Model
    package let tokenizer: Tokenizer
    package let configuration: Configuration
    package let device: DeviceInfo
    /// Bytes of memory that the weights occupy on the device.
    package let weightBytes: Int

    /// Compiles the program anew, with an empty cache.
    private let compile: () throws(BackendError) -> any Executable
    private var executable: (any Executable)?
    private var outputs: StepOutputs
    private var inputs: StepInputs
    private var profile: Profile?

    /// - Parameter progress: Gets the share of the weights that is loaded, on any thread.
    package init(
        _ model: Model, _ tokenizer: Tokenizer, on backend: any Backend, _ configuration: Configuration,
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
        do {
            outputs = try StepOutputs(rows: configuration.outputRows, vocabulary: model.vocabularySize)
        } catch {
            throw .backend(path: model.file.path, error)
        }
        for op in model.program.ops where !backend.supports(op) {
            throw .backend(path: model.file.path, .unsupported("an operation that the model needs"))
        }
        let limits = configuration.limits
        inputs = StepInputs(limits: limits, blocks: configuration.blocksPerSequence)
        // One block more, for trials beside running sequences.
        let cache = KVCacheConfiguration(
            format: configuration.kvFormat.format, blockLength: BlockPool.blockLength,
            blockCount: configuration.blockCount + 1)
        do {
            let weights = try backend.load(model.weights, for: model.program, progress: progress)
            weightBytes = weights.byteCount
            compile = { () throws(BackendError) in
                try backend.compile(model.program, weights: weights, cache: cache, limits: limits)
            }
            executable = try compile()
        } catch {
            throw .backend(path: model.file.path, error)
        }
    }

    private static func planned(_ model: Model, _ configuration: Configuration) throws(EngineError) -> Model {
        do { return try model.planned(forContext: configuration.contextLength) } catch { throw .model(error) }
    }

    /// Inputs with room for the largest step.
    package func makeInputs() -> StepInputs {
        StepInputs(limits: configuration.limits, blocks: configuration.blocksPerSequence)
    }

    /// Runs one step. Afterwards ``withLogits(_:_:)`` gives its output rows, in order.
    package func step(_ inputs: borrowing StepInputs) throws(EngineError) {
        guard let executable else {
            throw .backend(path: model.file.path, .device("it has not been set up again"))
        }
        do {
            if profile == nil {
                try executable.run(inputs, into: &outputs)
            } else {
                try runProfiled(inputs, on: executable)
            }
        } catch {
            throw .backend(path: model.file.path, error)
        }
    }

    /// The logits of an output row of the last step. Any number of threads may read between two steps.
    package func withLogits<R, E: Error>(_ row: Int, _ body: (Span<Float>) throws(E) -> R) throws(E) -> R {
        try outputs.withLogits(row: row, body)
    }

    /// Threads that ``runOnHost(_:)`` uses.
    package var hostWorkers: Int { executable?.hostWorkers ?? 1 }

    /// Runs `body(worker)` on each of the threads that wait for the next step.
    package func runOnHost(_ body: @escaping (_ worker: Int) -> Void) {
        if let executable { executable.runOnHost(body) } else { body(0) }
    }

    /// Sets the device up again after a failure, with an empty cache, and tries it.
    package func recover() throws(EngineError) {
        executable = nil
        do { executable = try compile() } catch { throw .backend(path: model.file.path, error) }
        try runTrial()
    }

    /// Runs one token, in a block that no sequence uses.
    package func runTrial() throws(EngineError) {
        inputs.removeAll()
        inputs.append([0], position: 0, outputs: 1)
        inputs.blockTables.append(Int32(configuration.blockCount))
        try step(inputs)
    }
}

// MARK: Profiles

extension Runtime {
    /// Times each operation from now on.
    package func startProfile() {
        let formats = model.program.weights.map { model.weights.format(of: $0.name) }
        profile = Profile(model.program, formats: formats, cache: configuration.kvFormat)
    }

    /// Ends what ``startProfile()`` began.
    package func finishProfile() -> Profile? {
        defer { profile = nil }
        return profile
    }

    private func runProfiled(
        _ inputs: borrowing StepInputs, on executable: any Executable
    ) throws(BackendError) {
        var times = [Double](repeating: 0, count: model.program.ops.count)
        let start = ContinuousClock.now
        try executable.run(inputs, into: &outputs, timing: &times)
        let elapsed = ContinuousClock.now - start
        profile?.add(inputs, seconds: elapsed / .seconds(1), times: times)
    }
}

extension Runtime.Configuration {
    fileprivate var limits: StepLimits {
        StepLimits(
            rows: stepRows, sequences: sequences, outputRows: outputRows,
            positions: blocksPerSequence * BlockPool.blockLength)
    }
}

// MARK: Sequences with a stretch of the cache each

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
    }

    /// Runs one step. Afterwards ``withLogits(_:_:)`` gives the rows that the chunks asked for, in order.
    package func step(_ chunks: [Chunk]) throws(EngineError) {
        inputs.removeAll()
        for chunk in chunks {
            let end = chunk.position + chunk.tokens.count
            let first = chunk.sequence * configuration.blocksPerSequence
            precondition(end <= configuration.contextLength)
            precondition(first + configuration.blocksPerSequence <= configuration.blockCount)
            inputs.append(chunk.tokens, position: chunk.position, outputs: chunk.outputs)
            for block in first..<first + BlockPool.blocks(for: end) { inputs.blockTables.append(Int32(block)) }
        }
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
