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

    init(
        _ program: Program, _ weights: XPUWeights, _ configuration: KVCacheConfiguration, _ limits: StepLimits
    ) throws(BackendError) {
        let (context, library) = (weights.context, weights.library)
        try Lowering.checkSupport(program)
        let fused = FusedProgram(program)
        let program = fused.program
        let sizes = StepMemory.Sizes(program, weights, limits: limits)
        logitStride = sizes.plan.buffer[program.logits.index].map { sizes.plan.widths[$0] } ?? 0
        // Weights and what else is taken count on both sides.
        let taken = weights.byteCount
        let needed = taken + KVCache.byteCount(program.cache, configuration) + sizes.total
        let available = context.freeMemory.map { $0 + taken } ?? context.device.memory
        guard needed <= available else { throw .doesNotFit(needed: needed, available: available) }
        let cache = try KVCache(context, program.cache, configuration)
        let largest = StepShape(
            rows: limits.rows, outputs: limits.outputRows, splits: 1,
            tableEntries: max(16, 2 * configuration.blockCount))
        do {
            self.context = context
            self.program = program
            self.limits = limits
            lowering = Lowering(
                fused, weights, cache, try StepMemory(context, sizes), matrixLanes: context.device.matrixLanes)
            control = try ControlBlock(context, program, largest: largest)
            splitStates = try SplitStates(context, bytes: 0)
            logits = try Memory(context, .host, byteCount: limits.outputRows * logitStride * 4)
            queue = try CommandQueue(context)
            fence = try queue.makeFence()
            kernels = KernelSet(library)
        } catch { throw context.failure(error) }
    }

    func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
        guard inputs.tokens.count <= limits.rows, inputs.outputRows.count <= limits.outputRows else {
            throw .unsupported("a step of \(inputs.tokens.count) rows and \(inputs.outputRows.count) outputs")
        }
        let vocabulary = program[lowering.vocabularyTable].rows
        for token in inputs.tokens {
            precondition(token >= 0 && token < vocabulary, "token \(token) is not in the vocabulary")
        }
        let shape = StepShape(inputs, limits: limits, tileTokens: lowering.tiling.tokens)
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
        let floats = unsafe logits.base.assumingMemoryBound(to: Float.self)
        for row in 0..<inputs.outputRows.count {
            unsafe outputs.buffer.baseAddress?.advanced(by: row * outputs.vocabulary).update(
                from: floats + row * logitStride, count: outputs.vocabulary)
        }
        lastStepCost = StepCost(launches: launches, onHost: (submitted - start) + (clock.now - done))
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
        if shape.outputs > 0 {
            try recorder.copy(
                to: logits.slice(), from: lowering.memory.slice(program.logits),
                bytes: shape.outputs * logitStride * 4)
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
