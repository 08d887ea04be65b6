internal import Compute
internal import Glibc

/// A compiled program: one recorded command list per shape of step, replayed with new contents of the control block.
final class XPUExecutable: Executable {
    private let context: Context
    private let program: Program
    private let limits: StepLimits
    private let lowering: Lowering
    private var control: ControlBlock
    private var splitStates: SplitStates
    /// Rows of logits, on the host.
    private let logits: Memory
    private let logitStride: Int
    private let queue: CommandQueue
    private let fence: Fence
    private let kernels: KernelSet
    private var lists: [StepShape: RecordedStep] = [:]
    /// `nil` where steps give rows only.
    private let heads: RowHeads?
    private let blocks: RowBlocks?
    private var blockCopy: RecordedStep?
    /// Copies of single wanted rows to the host.
    private var rowCopies: [Int: RecordedStep] = [:]

    /// A ``CommandList`` in a collection.
    private final class RecordedStep {
        let list: CommandList
        let launches: Int
        init(_ list: consuming CommandList, launches: Int) {
            self.list = list
            self.launches = launches
        }
    }

    private(set) var lastStepCost: StepCost?
    var givesHeads: Bool { heads != nil }

    /// Changes of logits for which each wanted row has room from the start.
    private static let usualChanges = 256

    init(
        _ program: Program, _ weights: XPUWeights, _ configuration: KVCacheConfiguration, _ limits: StepLimits,
        heads use: HeadUse
    ) throws(BackendError) {
        let (context, library) = (weights.context, weights.library)
        try Lowering.checkSupport(program)
        let fused = FusedProgram(program)
        let program = fused.program
        let sizes = StepMemory.Sizes(program, weights, limits: limits)
        logitStride = sizes.plan.buffer[program.logits.index].map { sizes.plan.widths[$0] } ?? 0
        let vocabulary = program.vocabularySize
        let givesHeads = use.applies(to: vocabulary)
        let headBytes = givesHeads ? RowHeads.byteCount(rows: limits.outputRows, vocabulary: vocabulary) : 0
        // Weights and what else is taken count on both sides.
        let taken = weights.byteCount
        let needed = taken + KVCache.byteCount(program.cache, configuration) + sizes.total + headBytes
        let available = context.freeMemory.map { $0 + taken } ?? context.device.memory
        guard needed <= available else { throw .doesNotFit(needed: needed, available: available) }
        let cache = try KVCache(context, program.cache, configuration)
        let largest = StepShape(
            rows: limits.rows, outputs: limits.outputRows, splits: 1,
            tableEntries: max(16, 2 * configuration.blockCount), givesHeads: givesHeads,
            logitChanges: givesHeads ? limits.outputRows * Self.usualChanges : 0)
        do {
            self.context = context
            self.program = program
            self.limits = limits
            lowering = Lowering(
                fused, weights, cache, try StepMemory(context, sizes), matrixLanes: context.device.matrixLanes)
            control = try ControlBlock(context, program, largest: largest)
            splitStates = try SplitStates(context, bytes: 0)
            logits = try Memory(context, .host, byteCount: limits.outputRows * logitStride * 4)
            heads = givesHeads ? try RowHeads(context, rows: limits.outputRows, vocabulary: vocabulary) : nil
            blocks = givesHeads ? try RowBlocks(context, vocabulary: vocabulary) : nil
            queue = try CommandQueue(context)
            fence = try queue.makeFence()
            kernels = KernelSet(library)
            try clearArrivals()
        } catch { throw context.failure(error) }
    }

    private func clearArrivals() throws(XPUError) {
        let bytes = lowering.memory.arrivalBytes
        let zeros = try Memory(context, .host, byteCount: bytes)
        unsafe zeros.base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        var recorder = Recorder(try CommandList(context), kernels)
        try recorder.copy(to: lowering.memory.arrivals, from: zeros.slice(), bytes: bytes)
        try finish(RecordedStep(try recorder.finish(), launches: 0))
    }

    func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
        guard inputs.tokens.count <= limits.rows, inputs.outputRows.count <= limits.outputRows else {
            throw .unsupported("a step of \(inputs.tokens.count) rows and \(inputs.outputRows.count) outputs")
        }
        let vocabulary = program[lowering.vocabularyTable].rows
        for token in inputs.tokens {
            precondition(token >= 0 && token < vocabulary, "token \(token) is not in the vocabulary")
        }
        let headsWanted = inputs.wantsHeads
        precondition(!headsWanted || inputs.heads.count == inputs.outputRows.count, "heads of some rows only")
        for change in inputs.logitChanges {
            precondition(change.id >= 0 && change.id < program.vocabularySize, "logit \(change.id) is not there")
        }
        let shape = StepShape(
            inputs, limits: limits, tileTokens: lowering.tiling.tokens, givesHeads: headsWanted && givesHeads)
        let clock = ContinuousClock()
        let start = clock.now
        let (submitted, done, launches): (ContinuousClock.Instant, ContinuousClock.Instant, Int)
        do {
            let step = try recorded(shape)
            control.fill(inputs, shape)
            try queue.execute(step.list, fence)
            submitted = clock.now
            try fence.wait()
            done = clock.now
            try fence.reset()
            launches = step.launches
        } catch { throw context.failure(error) }
        var bytes = 0
        if shape.givesHeads, let heads {
            heads.deliver(inputs, into: &outputs)
            bytes = heads.bytes(rows: shape.outputs)
        } else {
            for row in 0..<inputs.outputRows.count { deliver(row, isProcessed: false, into: &outputs) }
            bytes = shape.outputs * rowBytes
        }
        lastStepCost = StepCost(
            launches: launches, onHost: (submitted - start) + (clock.now - done), bytesToDevice: control.bytes(shape),
            bytesToHost: bytes)
    }

    func fetch(_ row: Int, into outputs: inout StepOutputs) throws(BackendError) {
        do { try finish(try copy(of: row)) } catch { throw context.failure(error) }
        deliver(row, isProcessed: outputs[row].isProcessed, into: &outputs)
        lastStepCost?.bytesToHost += rowBytes
    }

    func fetch(_ row: Int, block: Int, into outputs: inout StepOutputs) throws(BackendError) {
        guard let blocks else { preconditionFailure("every row has come") }
        precondition(row >= 0 && row < limits.outputRows)
        do {
            let copy = try recordedBlockCopy(blocks)
            blocks.ask(row: row, block: block)
            try finish(copy)
        } catch { throw context.failure(error) }
        blocks.deliver(row: row, block: block, into: &outputs)
        lastStepCost?.bytesToHost += RowBlocks.byteCount
    }

    private func finish(_ step: RecordedStep) throws(XPUError) {
        try queue.execute(step.list, fence)
        try fence.wait()
        try fence.reset()
    }

    private func recordedBlockCopy(_ blocks: RowBlocks) throws(XPUError) -> RecordedStep {
        if let blockCopy { return blockCopy }
        var recorder = Recorder(try CommandList(context), kernels)
        try blocks.record(logits: lowering.memory.slice(program.logits), stride: logitStride, into: &recorder)
        let step = RecordedStep(try recorder.finish(), launches: 0)
        blockCopy = step
        return step
    }

    private var rowBytes: Int { logitStride * 4 }

    /// Hands out a row that has come to the host.
    private func deliver(_ row: Int, isProcessed: Bool, into outputs: inout StepOutputs) {
        let floats = unsafe logits.base.assumingMemoryBound(to: Float.self)
        unsafe outputs.buffer.baseAddress?.advanced(by: row * outputs.vocabulary).update(
            from: floats + row * logitStride, count: outputs.vocabulary)
        outputs[row] = RowDelivery(isProcessed: isProcessed, hasRow: true)
    }

    private func copy(of row: Int) throws(XPUError) -> RecordedStep {
        if let known = rowCopies[row] { return known }
        var recorder = Recorder(try CommandList(context), kernels)
        try recorder.copy(
            to: logits.slice(row * rowBytes), from: lowering.memory.slice(program.logits).advanced(by: row * rowBytes),
            bytes: rowBytes)
        let step = RecordedStep(try recorder.finish(), launches: 0)
        rowCopies[row] = step
        return step
    }

    private func recorded(_ shape: StepShape) throws(XPUError) -> RecordedStep {
        if let known = lists[shape] { return known }
        if !control.holds(shape) {
            lists.removeAll()
            control = try ControlBlock(context, program, largest: shape)
        }
        let stateBytes = lowering.splitStateBytes(shape)
        if stateBytes > splitStates.byteCount {
            lists.removeAll()
            splitStates = try SplitStates(context, bytes: stateBytes)
        }
        var recorder = Recorder(try CommandList(context), kernels)
        try control.record(shape, into: &recorder)
        try lowering.record(shape, control, splitStates.slice, into: &recorder)
        let rows = lowering.memory.slice(program.logits)
        if shape.givesHeads {
            try heads?.record(shape, control, logits: rows, stride: logitStride, into: &recorder)
        } else if shape.outputs > 0 {
            try recorder.copy(to: logits.slice(), from: rows, bytes: shape.outputs * rowBytes)
        }
        let launches = recorder.launches
        let step = RecordedStep(try recorder.finish(), launches: launches)
        lists[shape] = step
        return step
    }
}

/// Memory for attention states of splits that are computed apart.
private final class SplitStates {
    private let memory: Memory
    init(_ context: Context, bytes: Int) throws(XPUError) {
        memory = try Memory(context, .device, byteCount: bytes)
    }

    var byteCount: Int { memory.byteCount }
    var slice: Slice { memory.slice() }
}
