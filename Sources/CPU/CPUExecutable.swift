internal import Compute

/// A program lowered to phases, with its cache and buffers.
final class CPUExecutable: Executable {
    private let state: StepState
    private let pool: WorkerPool
    private let phases: [any Phase]
    private let step: (Int) -> Void

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
        phases = try Lowering.phases(of: program, state, splits)
        step = { [state, pool, phases] worker in
            for phase in phases {
                phase.run(state, worker: worker)
                pool.barrier.wait()
            }
            state.deliverLogits(worker: worker)
        }
    }

    var hostWorkers: Int { pool.count }

    func runOnHost(_ body: @escaping (_ worker: Int) -> Void) { pool.run(stored: body) }

    func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
        try state.prepare(inputs)
        unsafe state.target = outputs.buffer.baseAddress
        for phase in phases { phase.reset() }
        pool.run(stored: step)
    }
}
