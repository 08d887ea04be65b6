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

    private let backend: any Backend
    private let cache: KVCacheConfiguration
    /// `nil` after the device was lost.
    private var weights: (any LoadedWeights)?
    private var executable: (any Executable)?
    private var outputs: StepOutputs
    var inputs: StepInputs
    private var profile: Profile?
    /// Steps since the weights were loaded; `nil` when they have settled.
    private var stepsSinceLoading: Int? = 0
    /// What windowed layers need; `nil` where the model has none.
    let windows: Scheduler.Windows?
    var stretches: CacheStretches

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
        self.backend = backend
        let limits = configuration.limits
        windows = configuration.windows(model.program.cache)
        stretches = CacheStretches(configuration, windows)
        inputs = Self.inputs(configuration, windows)
        cache = configuration.cache(model.program.cache)
        do {
            let weights = try backend.load(model.weights, for: model.program, progress: progress)
            weightBytes = weights.byteCount
            self.weights = weights
            executable = try backend.compile(
                model.program, weights: weights, cache: cache, limits: limits)
        } catch {
            throw .backend(path: model.file.path, error)
        }
    }

    private static func planned(_ model: Model, _ configuration: Configuration) throws(EngineError) -> Model {
        do { return try model.planned(forContext: configuration.contextLength) } catch { throw .model(error) }
    }

    /// Inputs with room for the largest step.
    package func makeInputs() -> StepInputs {
        Self.inputs(configuration, windows)
    }

    private static func inputs(_ configuration: Configuration, _ windows: Scheduler.Windows?) -> StepInputs {
        StepInputs(limits: configuration.limits, blocks: configuration.blocksPerSequence * (windows == nil ? 1 : 2))
    }

    /// Settles the weights as a process has them that lives for long.
    package func settle() {
        while weights?.settle(afterSteps: .max, within: .seconds(1)) ?? false {}
        stepsSinceLoading = nil
    }

    /// - Parameter start: When the step began that has just ended. Settling takes about as long again, where there is that much to do.
    private func settleInPassing(_ start: ContinuousClock.Instant) {
        guard let steps = stepsSinceLoading else { return }
        let time = ContinuousClock.now - start
        stepsSinceLoading = weights?.settle(afterSteps: steps + 1, within: time) == true ? steps + 1 : nil
    }

    /// Runs one step. Afterwards ``withLogits(_:_:)`` gives its output rows, in order.
    package func step(_ inputs: borrowing StepInputs) throws(EngineError) {
        guard let executable else {
            throw .backend(path: model.file.path, .device("it has not been set up again"))
        }
        let start = ContinuousClock.now
        do {
            if profile == nil {
                try executable.run(inputs, into: &outputs)
            } else {
                try runProfiled(inputs, on: executable)
            }
            settleInPassing(start)
        } catch {
            throw failure(error)
        }
    }

    /// The logits of an output row of the last step, which has come. Any number of threads may read between two steps.
    package func withLogits<R, E: Error>(_ row: Int, _ body: (Span<Float>) throws(E) -> R) throws(E) -> R {
        try outputs.withLogits(row: row, body)
    }

    /// Whether steps can hand out heads of rows.
    var givesHeads: Bool { executable?.givesHeads ?? false }

    /// Whether the last step handed out the head of an output row, which is then processed.
    func hasHead(_ row: Int) -> Bool { outputs[row].isProcessed }

    /// The head of an output row of the last step.
    func withHead<R, E: Error>(_ row: Int, _ body: (RowHead) throws(E) -> R) throws(E) -> R {
        try outputs.withHead(row: row, body)
    }

    /// Brings an output row of the last step from the device where it has not come yet. On the thread of the steps, which is the only one
    /// of ``runOnHost(_:)`` where rows may be missing.
    func fetch(_ row: Int) throws(EngineError) {
        guard !outputs[row].hasRow, let executable else { return }
        do { try executable.fetch(row, into: &outputs) } catch { throw failure(error) }
    }

    /// A block of an output row whose head has come, from the device where it has not come yet. On the thread of the steps.
    func withBlock<R>(_ block: Int, of row: Int, _ body: (RowBlock) -> R) throws(EngineError) -> R {
        if !outputs[row].hasRow, outputs[row].block != block, let executable {
            do { try executable.fetch(row, block: block, into: &outputs) } catch { throw failure(error) }
        }
        return outputs.withBlock(block, row: row, body)
    }

    /// What the last step cost beside computing; `nil` on the CPU.
    package var lastStepCost: StepCost? { executable?.lastStepCost }

    /// Whether ``profile`` works on this device.
    package var timesOperations: Bool { executable?.timesOperations ?? false }

    /// Threads that ``runOnHost(_:)`` uses.
    package var hostWorkers: Int { executable?.hostWorkers ?? 1 }

    /// Runs `body(worker)` on each of the threads that wait for the next step.
    package func runOnHost(_ body: @escaping (_ worker: Int) -> Void) {
        if let executable { executable.runOnHost(body) } else { body(0) }
    }

    /// Sets the device up again after a failure, with an empty cache, and tries it. Loads the weights again where they were lost.
    package func recover() throws(EngineError) {
        executable = nil
        do {
            if weights == nil {
                weights = try backend.load(model.weights, for: model.program) { _ in }
                stepsSinceLoading = 0
            }
            if let weights {
                executable = try backend.compile(
                    model.program, weights: weights, cache: cache, limits: configuration.limits)
            }
        } catch { throw failure(error) }
        try runTrial()
    }

    /// Takes note of what an error of the device leaves behind.
    private func failure(_ error: BackendError) -> EngineError {
        if case .lost = error {
            // At once: as long as they live, so does their part of the device's memory.
            executable = nil
            weights = nil
        }
        return .backend(path: model.file.path, error)
    }

    /// Runs one token, in a block that no sequence uses.
    package func runTrial() throws(EngineError) {
        inputs.removeAll()
        inputs.append([0], position: 0, outputs: 1)
        inputs.blockTables.append(Int32(configuration.blockCount))
        if let windows {
            inputs.beginWindowTable()
            inputs.blockTables.append(Int32(windows.blocks))
        }
        try step(inputs)
    }
}

// MARK: Profiles

extension Runtime {
    /// Times each operation from now on.
    package func startProfile() {
        let formats = model.program.weights.map { model.weights.format(of: $0.name) }
        profile = Profile(model.program, formats: formats, cache: configuration.kvFormat.format)
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

    /// What the windowed layers of a model need; `nil` where it has none.
    func windows(_ layout: CacheLayout) -> Scheduler.Windows? {
        layout.reach.map { reach in
            let most = Scheduler.Windows.blocks(reach: reach, sequences: sequences, rows: stepRows)
            return .init(reach: reach, blocks: min(blockCount, most))
        }
    }

    /// The cache that a model gets: its bytes are ``CacheLayout/byteCount(_:)``.
    package func cache(_ layout: CacheLayout) -> KVCacheConfiguration {
        // One block more, for trials beside running sequences.
        KVCacheConfiguration(
            format: kvFormat.format, blockLength: BlockPool.blockLength, blockCount: blockCount + 1,
            windowBlockCount: (windows(layout)?.blocks ?? blockCount) + 1)
    }
}
