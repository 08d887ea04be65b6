internal import Compute

/// Matrix products of one prepared input with one or more matrices, split over row groups of outputs and, where there are many, over
/// rows of input.
final class LinearPhase: Phase {
    private struct Product {
        let matrix: PackedMatrix
        let projection: Op.Linear.Projection
        let prepared: PreparedInput
    }

    private let products: [Product]
    /// Row groups of outputs of all products.
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
        let size = taskSize(rows: rows, workers: state.workers)
        let parts = (rows + size.rows - 1) / size.rows
        while true {
            let number = counter.next()
            var task = number / parts
            guard
                let product = products.first(where: { product in
                    let tasks = (product.matrix.rowGroups + size.groups - 1) / size.groups
                    if task < tasks { return true }
                    task -= tasks
                    return false
                })
            else { return }
            let (first, firstRow) = (task * size.groups, number % parts * size.rows)
            multiply(
                product, rows: firstRow..<min(firstRow + size.rows, rows),
                first..<min(first + size.groups, product.matrix.rowGroups), state, worker)
        }
    }

    /// Few rows are bound by memory: long stretches, several per worker so that a late one costs little. Many rows are bound by
    /// arithmetic: a task reuses unpacked weights for its rows, and rows made ready for a matrix unit for its row groups.
    private func taskSize(rows: Int, workers: Int) -> (rows: Int, groups: Int) {
        if rows <= 8 {
            let share = groups / (workers * 4)
            return (rows, max(8, (share + 7) / 8 * 8))
        }
        // A matrix unit unpacks formats with blocks of 256 once per 512 rows.
        let most = products.contains { $0.prepared.kind == .superQuantized } ? 512 : 256
        var size = (rows: most, groups: 128)
        func tasks() -> Int {
            let perRows = products.reduce(0) { $0 + ($1.matrix.rowGroups + size.groups - 1) / size.groups }
            return perRows * ((rows + size.rows - 1) / size.rows)
        }
        while size.groups > 64 && tasks() < 4 * workers { size.groups /= 2 }
        while size.groups > 32 && most > 256 && tasks() < 2 * workers { size.groups /= 2 }
        while size.rows > 128 && tasks() < 2 * workers { size.rows /= 2 }
        while size.groups > 8 && tasks() < 2 * workers { size.groups /= 2 }
        return size
    }

    private func multiply(
        _ product: Product, rows: Range<Int>, _ groups: Range<Int>, _ state: StepState, _ worker: Int
    ) {
        let projection = product.projection
        let residual = unsafe projection.residual.map { unsafe UnsafePointer(state.base($0)) }
        unsafe product.matrix.multiply(
            product.prepared.activations, rows: rows, rowGroups: groups, into: state.base(projection.output),
            stride: state.stride(projection.output), bias: state.vector(projection.bias), residual: residual,
            residualStride: projection.residual.map { state.stride($0) } ?? 0, scratch: state.scratch(worker))
    }
}
