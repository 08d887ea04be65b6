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
        forEachTile(state) { rows in
            for kernel in kernels { kernel.run(state, rows: rows, worker: worker) }
        }
    }

    func run(_ state: StepState, worker: Int, times: UnsafeMutablePointer<UInt64>) {
        forEachTile(state) { rows in
            var start = PhaseClock.now()
            for (index, kernel) in kernels.enumerated() {
                kernel.run(state, rows: rows, worker: worker)
                let end = PhaseClock.now()
                unsafe times[index] += end - start
                start = end
            }
        }
    }

    /// Tiles of the rows that this worker takes: several neighbours at a time where there are many, since rows of one cache block write
    /// to the same lines of its keys.
    private func forEachTile(_ state: StepState, _ body: (Range<Int>) -> Void) {
        let rows = state.rows(in: domain)
        let share = rows / (state.workers * 4)
        let taken = max(1, min(share, state.cache.configuration.blockLength) / Activations.tileRows)
        while true {
            let start = counter.next() * taken * Activations.tileRows
            guard start < rows else { return }
            let end = min(start + taken * Activations.tileRows, rows)
            for first in stride(from: start, to: end, by: Activations.tileRows) {
                body(first..<min(first + Activations.tileRows, end))
            }
        }
    }
}
