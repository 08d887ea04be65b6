internal import Compute

/// The product of each head of a row with a matrix of its own, split over heads.
final class HeadLinearPhase: Phase {
    private let op: Op.HeadLinear
    private let matrix: PackedMatrix
    private let inputs: [PreparedInput]
    private let counter = WorkCounter()

    /// - Parameter inputs: The prepared input of each head.
    init(_ op: Op.HeadLinear, _ matrix: PackedMatrix, inputs: [PreparedInput]) {
        self.op = op
        self.matrix = matrix
        self.inputs = inputs
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        guard state.rows > 0 else { return }
        while true {
            let head = counter.next()
            guard head < op.heads else { return }
            unsafe matrix.multiply(
                inputs[head].activations, expert: head, rowGroups: 0..<matrix.rowGroups,
                into: state.base(op.output) + head * matrix.rows, stride: state.stride(op.output),
                scratch: state.scratch(worker))
        }
    }
}
