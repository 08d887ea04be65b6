internal import Compute

/// Matrix products of one prepared input with one or more matrices, split over row groups of outputs.
final class LinearPhase: Phase {
    private struct Product {
        let matrix: PackedMatrix
        let projection: Op.Linear.Projection
        let prepared: PreparedInput
    }

    private let products: [Product]
    private let groups: Int
    private let counter = WorkCounter()

    /// - Parameter inputs: The prepared input of each projection.
    init(_ op: Op.Linear, weights: CPUWeights, inputs: [PreparedInput]) {
        products = zip(op.projections, inputs).map { projection, prepared in
            guard let matrix = weights.matrices[projection.weight.index] else {
                preconditionFailure("weight \(projection.weight.index) was not loaded as a matrix")
            }
            return Product(matrix: matrix, projection: projection, prepared: prepared)
        }
        groups = products.reduce(0) { $0 + $1.matrix.rowGroups }
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        let rows = state.rows(in: products[0].prepared.domain)
        guard rows > 0 else { return }
        let step = groupsPerTask(rows: rows, workers: state.workers)
        while true {
            var task = counter.next()
            guard
                let product = products.first(where: { product in
                    let tasks = (product.matrix.rowGroups + step - 1) / step
                    if task < tasks { return true }
                    task -= tasks
                    return false
                })
            else { return }
            let first = task * step
            multiply(product, first..<min(first + step, product.matrix.rowGroups), state, worker)
        }
    }

    /// Few rows are bound by memory: long stretches, several per worker so that a late one costs little. Many rows are bound by
    /// arithmetic and reuse an unpacked panel of row groups.
    private func groupsPerTask(rows: Int, workers: Int) -> Int {
        if rows > 8 { return 24 }
        let share = groups / (workers * 4)
        return max(8, (share + 7) / 8 * 8)
    }

    private func multiply(_ product: Product, _ groups: Range<Int>, _ state: StepState, _ worker: Int) {
        let projection = product.projection
        let residual = unsafe projection.residual.map { unsafe UnsafePointer(state.base($0)) }
        unsafe product.matrix.multiply(
            product.prepared.activations, rowGroups: groups, into: state.base(projection.output),
            stride: state.stride(projection.output), bias: state.vector(projection.bias), residual: residual,
            residualStride: projection.residual.map { state.stride($0) } ?? 0, scratch: state.scratch(worker))
    }
}
