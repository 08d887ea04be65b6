internal import Compute

/// A program lowered to phases, with its cache and buffers.
final class CPUExecutable: Executable {
    private let state: StepState
    private let pool: WorkerPool
    private let lowered: LoweredProgram
    private let step: (Int) -> Void
    private lazy var clock = PhaseClock(lowered.ops, workers: pool.count)

    init(
        _ program: Program, _ weights: CPUWeights, _ cache: KVCacheConfiguration, _ limits: StepLimits,
        _ pool: WorkerPool
    ) throws(BackendError) {
        self.pool = pool
        state = try StepState(
            program: program, weights: weights, cache: KVPool(program.cache, cache), workers: pool.count, limits: limits
        )
        let splits = try SplitStates(
            program, workers: pool.count, limits: limits,
            positions: limits.positions ?? cache.blockCount * cache.blockLength)
        lowered = try Lowering.lower(program, state, splits)
        step = { [state, pool, phases = lowered.phases] worker in
            for phase in phases {
                phase.run(state, worker: worker)
                pool.barrier.wait()
            }
            state.deliverLogits(worker: worker)
        }
    }

    var hostWorkers: Int { pool.count }
    var timesOperations: Bool { true }

    func runOnHost(_ body: @escaping (_ worker: Int) -> Void) { pool.run(stored: body) }

    func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
        try prepare(inputs, into: &outputs)
        pool.run(stored: step)
    }

    func run(
        _ inputs: borrowing StepInputs, into outputs: inout StepOutputs, timing seconds: inout [Double]
    ) throws(BackendError) {
        try prepare(inputs, into: &outputs)
        clock.reset()
        pool.run { [state, pool, clock, phases = lowered.phases] worker in
            clock.start(worker: worker)
            for (index, phase) in phases.enumerated() {
                unsafe phase.run(state, worker: worker, times: clock.times(of: index, worker: worker))
                pool.barrier.wait()
                clock.finish(index, worker: worker)
            }
            state.deliverLogits(worker: worker)
        }
        clock.add(to: &seconds)
    }

    private func prepare(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
        try state.prepare(inputs)
        unsafe state.target = outputs.buffer.baseAddress
        for phase in lowered.phases { phase.reset() }
    }
}
