internal import Synchronization

/// Chooses the tokens of all requests of a step, on the threads that have just run it: a request is one task, so what it gets does not
/// depend on their number.
final class SamplingStage {
    private struct Task {
        let request: ActiveRequest
        let work: StepPlan.Work
        /// The first output row.
        let row: Int
    }

    /// Memory of one worker.
    private final class Scratch {
        var candidates = Candidates()
    }

    /// What the workers share.
    private final class State {
        let runtime: Runtime
        var tasks: [Task] = []
        var scratch: [Scratch] = []
        let next = Atomic<Int>(0)
        /// Set by the thread of the steps, the only one where a device is asked for more.
        var failure: EngineError?

        init(_ runtime: Runtime) { self.runtime = runtime }

        func work(as worker: Int) {
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < tasks.count else { return }
                let task = tasks[index]
                do {
                    try task.request.run(task.work, row: task.row, runtime, &scratch[worker].candidates)
                } catch {
                    failure = error
                    return
                }
            }
        }
    }

    private let state: State
    /// Made once: a step allocates nothing.
    private let body: (Int) -> Void

    init(_ runtime: Runtime) {
        state = State(runtime)
        body = { [state] worker in state.work(as: worker) }
    }

    /// - Throws: Errors of the device.
    func run(_ plan: StepPlan, _ requests: [Int: ActiveRequest]) throws(EngineError) {
        while state.scratch.count < state.runtime.hostWorkers { state.scratch.append(Scratch()) }
        var row = 0
        for work in plan.work {
            if let request = requests[work.id] {
                state.tasks.append(Task(request: request, work: work, row: row))
            }
            row += work.outputs
        }
        state.next.store(0, ordering: .relaxed)
        if state.tasks.count > 1 { state.runtime.runOnHost(body) } else { body(0) }
        state.tasks.removeAll(keepingCapacity: true)
        if let failure = state.failure {
            state.failure = nil
            throw failure
        }
    }
}
