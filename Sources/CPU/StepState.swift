internal import CCPU
internal import Compute
internal import Glibc

/// Everything that the phases of a step share: the step's rows, activations, prepared inputs, cache and scratch memory.
///
/// Written by ``prepare(_:)`` before a step; during it, phases write disjoint parts between barriers.
@safe
final class StepState {
    let program: Program
    let weights: CPUWeights
    let cache: KVPool
    let workers: Int
    let limits: StepLimits
    nonisolated(unsafe) let ops: UnsafePointer<cpu_ops>

    /// Rows of the step and of its wanted logits.
    private(set) var rows = 0
    private(set) var outputRows = 0
    private(set) var sequences: [StepInputs.Sequence] = []
    /// Position and sequence of each row.
    let positions: UnsafeMutableBufferPointer<Int32>
    let rowSequences: UnsafeMutableBufferPointer<Int32>
    let tokens: UnsafeMutableBufferPointer<Int32>
    let outputIndices: UnsafeMutableBufferPointer<Int32>
    private(set) var blockTables: [Int32] = []
    /// Where the logits go: `[outputRows, vocabulary]`.
    nonisolated(unsafe) var target: UnsafeMutablePointer<Float>?

    /// Row 0 of each value, by value index. Values that are never alive together share memory, row by row: rows of all values of a
    /// buffer are equally far apart, so that a tile of rows can run ahead of the others.
    private let values: [UnsafeMutablePointer<Float>?]
    private let strides: [Int]
    private let valueMemory: [PageMemory]
    /// Prepared inputs of matrix products.
    var prepared: [PreparedInput] = []
    /// Prepared inputs of products per head.
    var preparedHeads: [[PreparedInput]] = []
    private let ropeMemory: [PageMemory]
    private let scratch: [PageMemory]

    init(program: Program, weights: CPUWeights, cache: KVPool, workers: Int, limits: StepLimits) throws(BackendError) {
        self.program = program
        self.weights = weights
        self.cache = cache
        self.workers = workers
        self.limits = limits
        unsafe ops = cpu_ops_for(InstructionSet.best.isa)
        unsafe positions = .allocate(capacity: limits.rows)
        unsafe rowSequences = .allocate(capacity: limits.rows)
        unsafe tokens = .allocate(capacity: limits.rows)
        sequences.reserveCapacity(limits.sequences)
        let blockLength = cache.configuration.blockLength
        let positions = limits.positions ?? cache.configuration.blockCount * blockLength
        let tables = program.cache.reach == nil ? 1 : 2
        blockTables.reserveCapacity(limits.sequences * tables * ((positions + blockLength - 1) / blockLength))
        unsafe outputIndices = .allocate(capacity: limits.outputRows)
        var ropes: [PageMemory] = []
        for table in program.ropes {
            ropes.append(
                try PageMemory(byteCount: 2 * limits.rows * table.inverseFrequencies.count * 4, rowByRow: true))
        }
        ropeMemory = ropes
        var scratch: [PageMemory] = []
        let scratchBytes = max(PackedMatrix.scratchBytes, SplitStates.scratchBytes(program.cache))
        for _ in 0..<workers { scratch.append(try PageMemory(byteCount: scratchBytes)) }
        self.scratch = scratch

        let plan = BufferPlan(program)
        let domains = RowDomain.of(program)
        var memory: [PageMemory] = []
        for index in plan.widths.indices {
            // Pages are only taken when touched, so room for the largest step costs nothing.
            let held = program.widths.indices.filter { plan.buffer[$0] == index }
            let rows = held.map { domains[$0] == .all ? limits.rows : limits.outputRows }.max() ?? 0
            memory.append(try PageMemory(byteCount: plan.widths[index] * rows * 4 + 64, rowByRow: true))
        }
        valueMemory = memory
        unsafe values = plan.buffer.map { unsafe $0.map { unsafe memory[$0].base.assumingMemoryBound(to: Float.self) } }
        strides = plan.buffer.map { $0.map { plan.widths[$0] } ?? 0 }
    }

    deinit {
        unsafe positions.deallocate()
        unsafe rowSequences.deallocate()
        unsafe tokens.deallocate()
        unsafe outputIndices.deallocate()
    }

    /// Takes over the inputs of a step.
    func prepare(_ inputs: borrowing StepInputs) throws(BackendError) {
        rows = inputs.tokens.count
        outputRows = inputs.outputRows.count
        guard rows <= limits.rows, outputRows <= limits.outputRows else {
            throw .unsupported("a step of \(rows) rows and \(outputRows) outputs")
        }
        sequences.replaceSubrange(0..., with: inputs.sequences)
        blockTables.replaceSubrange(0..., with: inputs.blockTables)
        for row in 0..<rows { unsafe tokens[row] = inputs.tokens[row] }
        for (index, row) in inputs.outputRows.enumerated() { unsafe outputIndices[index] = row }
        for (index, sequence) in inputs.sequences.enumerated() {
            for offset in 0..<sequence.rowCount {
                unsafe positions[sequence.firstRow + offset] = Int32(sequence.firstPosition + offset)
                unsafe rowSequences[sequence.firstRow + offset] = Int32(index)
            }
        }
        for input in prepared { input.reshape(rows: rows(in: input.domain)) }
        for heads in preparedHeads { for input in heads { input.reshape(rows: rows) } }
    }

    func rows(in domain: RowDomain) -> Int { domain == .all ? rows : outputRows }

    /// Row 0 of a value.
    func base(_ value: Value) -> UnsafeMutablePointer<Float> {
        guard let base = unsafe values[value.index] else {
            preconditionFailure("value \(value.index) is never written")
        }
        return unsafe base
    }

    /// Floats from one row of a value to the next.
    func stride(_ value: Value) -> Int { strides[value.index] }

    func row(_ value: Value, _ row: Int) -> UnsafeMutablePointer<Float> {
        unsafe base(value) + row * strides[value.index]
    }

    /// Copies a worker's share of the columns of all logits to where the caller wants them.
    func deliverLogits(worker: Int) {
        guard let target = unsafe target else { return }
        let vocabulary = program.vocabularySize
        let first = vocabulary * worker / workers
        let count = vocabulary * (worker + 1) / workers - first
        for row in 0..<outputRows {
            unsafe (target + row * vocabulary + first).update(
                from: self.row(program.logits, row) + first, count: count)
        }
    }

    /// Memory of one worker: ``PackedMatrix/scratchBytes`` or ``SplitStates/scratchBytes(_:)``, whichever is more.
    func scratch(_ worker: Int) -> UnsafeMutableRawPointer { unsafe scratch[worker].base }

    /// Cosines, then sines, of a rope table: `[rows, pairs]` each.
    func rope(_ table: Int) -> UnsafeMutablePointer<Float> {
        unsafe ropeMemory[table].base.assumingMemoryBound(to: Float.self)
    }

    func vector(_ weight: Weight?) -> UnsafePointer<Float>? {
        guard let weight else { return nil }
        return unsafe weights.vectors[weight.index]?.base
    }
}

/// The input of matrix products, prepared once for all that share it.
final class PreparedInput {
    let columns: Int
    let kind: Activations.Kind
    let domain: RowDomain
    var activations: Activations

    init(columns: Int, kind: Activations.Kind, domain: RowDomain, capacity: Int) throws(BackendError) {
        self.columns = columns
        self.kind = kind
        self.domain = domain
        activations = try Activations(rows: capacity, columns: columns)
    }

    func reshape(rows: Int) { activations.reshape(kind, rows: rows, columns: columns) }
}
