internal import Compute
internal import Quant

/// Turns the operations of a program into phases. Row-wise operations in a row become one phase, so that a layer of a Llama costs
/// seven barriers.
struct Lowering {
    private let state: StepState
    private let splits: SplitStates
    private var lowered = LoweredProgram()
    /// Index of the operation that is being lowered.
    private var op = 0
    private let domains: [RowDomain]
    private var openRows: RowPhase?
    private var openOps: [Int] = []
    private var expertMemories: [ExpertMemory] = []

    static func lower(
        _ program: Program, _ state: StepState, _ splits: SplitStates
    ) throws(BackendError) -> LoweredProgram {
        var lowering = Lowering(state, splits, program)
        for (index, table) in program.ropes.enumerated() {
            lowering.op = program.ops.firstIndex { $0.usesRope(index) } ?? 0
            lowering.append(RopeAnglesKernel(index: index, table: table), .all)
        }
        for (index, op) in program.ops.enumerated() {
            lowering.op = index
            try lowering.lower(op)
        }
        lowering.close()
        return lowering.lowered
    }

    private init(_ state: StepState, _ splits: SplitStates, _ program: Program) {
        self.state = state
        self.splits = splits
        domains = RowDomain.of(program)
    }

    private mutating func lower(_ op: Op) throws(BackendError) {
        let program = state.program
        switch op {
        case .embed(let op):
            guard let table = state.weights.tables[op.table.index] else {
                preconditionFailure("weight \(op.table.index) was not loaded as a table")
            }
            append(EmbedKernel(op: op, table: table), .all)
        case .norm(let op): append(NormKernel(op: op), domains[op.input.index])
        case .rope(let op): append(RopeKernel(op: op, table: program.ropes[op.table]), .all)
        case .store(let op): append(StoreKernel(op: op, shape: program.cache.layers[op.layer]), .all)
        case .gate(let op): append(GateKernel(op: op), domains[op.output.index])
        case .activate(let op): append(ActivateKernel(op: op), domains[op.output.index])
        case .add(let op): append(AddKernel(op: op), domains[op.output.index])
        case .scale(let op): append(ScaleKernel(op: op), domains[op.output.index])
        case .softcap(let op): append(SoftcapKernel(op: op), domains[op.output.index])
        case .outputRows(let op):
            // It reads rows that others wrote, and what follows may write over them.
            close()
            append(OutputRowsKernel(op: op), .outputs)
            close()
        case .linear(let op): try lower(op)
        case .headLinear(let op): try lower(op)
        case .join(let op): append(JoinKernel(op: op), domains[op.output.index])
        case .attention(let op):
            let shape = program.cache.layers[op.layer]
            append(AttentionPhase(op, shape: shape, splits: splits))
            append(AttentionMergeKernel(op: op, shape: shape, splits: splits), .all)
        case .moe(let op):
            let routing = Routing(op, try expertMemory(op))
            append(RoutePhase(routing))
            append(SlotPhase(routing, .rows))
            append(ExpertPhase(routing, .gateAndUp, weights: state.weights))
            append(SlotPhase(routing, .hidden))
            append(ExpertPhase(routing, .down, weights: state.weights))
            append(ExpertSumKernel(routing: routing), .all)
        }
    }

    private mutating func expertMemory(_ op: Op.MoE) throws(BackendError) -> ExpertMemory {
        let shape = Routing.shape(op, state.program, state.weights)
        if let known = expertMemories.first(where: { $0.shape == shape }) { return known }
        let memory = try ExpertMemory(shape, rows: state.limits.rows)
        expertMemories.append(memory)
        return memory
    }

    private mutating func lower(_ op: Op.Linear) throws(BackendError) {
        let domain = domains[op.input.index]
        var inputs: [PreparedInput] = []
        for projection in op.projections {
            let kind = state.weights.matrices[projection.weight.index]?.activationKind() ?? .quantized
            if let known = inputs.first(where: { $0.kind == kind }) {
                inputs.append(known)
                continue
            }
            let prepared = try state.preparedInput(columns: state.program.width(op.input), kind: kind, domain: domain)
            append(PrepareKernel(input: op.input, prepared: prepared), domain)
            inputs.append(prepared)
        }
        append(LinearPhase(op, weights: state.weights, inputs: inputs))
    }

    private mutating func lower(_ op: Op.HeadLinear) throws(BackendError) {
        guard let matrix = state.weights.matrices[op.weight.index] else {
            preconditionFailure("weight \(op.weight.index) was not loaded as a matrix")
        }
        let columns = state.program.width(op.input) / op.heads
        let inputs = try state.preparedHeads(op.heads, columns: columns, kind: matrix.activationKind())
        for head in 0..<op.heads {
            append(PrepareKernel(input: op.input, firstColumn: head * columns, prepared: inputs[head]), .all)
        }
        append(HeadLinearPhase(op, matrix, inputs: inputs))
    }

    private mutating func append(_ kernel: any RowKernel, _ domain: RowDomain) {
        if let openRows, openRows.domain == domain {
            openRows.kernels.append(kernel)
        } else {
            close()
            openRows = RowPhase(domain: domain, kernels: [kernel])
        }
        openOps.append(op)
    }

    private mutating func append(_ phase: any Phase) {
        close()
        lowered.append(phase, ops: [op])
    }

    private mutating func close() {
        if let openRows { lowered.append(openRows, ops: openOps) }
        openRows = nil
        openOps = []
    }
}

/// Phases in the order of their run.
struct LoweredProgram {
    private(set) var phases: [any Phase] = []
    /// Indices of the operations that the parts of each phase belong to: a row phase has a part per kernel, others have one.
    private(set) var ops: [[Int]] = []

    fileprivate mutating func append(_ phase: any Phase, ops: [Int]) {
        phases.append(phase)
        self.ops.append(ops)
    }
}

extension Op {
    fileprivate func usesRope(_ table: Int) -> Bool {
        if case .rope(let op) = self { op.table == table } else { false }
    }
}

extension StepState {
    /// The shared prepared inputs of all heads of a row.
    fileprivate func preparedHeads(
        _ heads: Int, columns: Int, kind: Activations.Kind
    ) throws(BackendError) -> [PreparedInput] {
        if let known = preparedHeads.first(where: {
            $0.count == heads && $0[0].columns == columns && $0[0].kind == kind
        }) {
            return known
        }
        var inputs: [PreparedInput] = []
        for _ in 0..<heads {
            inputs.append(try PreparedInput(columns: columns, kind: kind, domain: .all, capacity: limits.rows))
        }
        preparedHeads.append(inputs)
        return inputs
    }

    /// The shared prepared input of a shape: operations run one after the other, so all of one shape use the same memory.
    fileprivate func preparedInput(
        columns: Int, kind: Activations.Kind, domain: RowDomain
    ) throws(BackendError) -> PreparedInput {
        if let known = prepared.first(where: { $0.columns == columns && $0.kind == kind && $0.domain == domain }) {
            return known
        }
        let input = try PreparedInput(
            columns: columns, kind: kind, domain: domain, capacity: domain == .all ? limits.rows : limits.outputRows)
        prepared.append(input)
        return input
    }
}
