internal import Compute

/// A stretch of a step between two barriers. All workers run it at once and share its tasks.
protocol Phase: AnyObject {
    func run(_ state: StepState, worker: Int)
    /// Called by one thread before each step.
    func reset()
    /// The same as ``run(_:worker:)``. A phase of several parts adds the nanoseconds that this worker spent in each to `times`.
    func run(_ state: StepState, worker: Int, times: UnsafeMutablePointer<UInt64>)
}

extension Phase {
    func run(_ state: StepState, worker: Int, times: UnsafeMutablePointer<UInt64>) { run(state, worker: worker) }
}

/// A row-wise operation: what it writes for a row depends on that row only.
protocol RowKernel {
    func run(_ state: StepState, rows: Range<Int>, worker: Int)
}

/// Row-wise operations one after the other, a tile of rows at a time.
final class RowPhase: Phase {
    let domain: RowDomain
    var kernels: [any RowKernel]
    private let counter = WorkCounter()

    init(domain: RowDomain, kernels: [any RowKernel]) {
        self.domain = domain
        self.kernels = kernels
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        let rows = state.rows(in: domain)
        while true {
            let first = counter.next() * Activations.tileRows
            guard first < rows else { return }
            let range = first..<min(first + Activations.tileRows, rows)
            for kernel in kernels { kernel.run(state, rows: range, worker: worker) }
        }
    }

    func run(_ state: StepState, worker: Int, times: UnsafeMutablePointer<UInt64>) {
        let rows = state.rows(in: domain)
        while true {
            let first = counter.next() * Activations.tileRows
            guard first < rows else { return }
            let range = first..<min(first + Activations.tileRows, rows)
            var start = PhaseClock.now()
            for (index, kernel) in kernels.enumerated() {
                kernel.run(state, rows: range, worker: worker)
                let end = PhaseClock.now()
                unsafe times[index] += end - start
                start = end
            }
        }
    }
}
