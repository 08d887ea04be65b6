internal import Compute

/// Turns the operations of a program into launches.
struct Lowering {
    let program: Program
    /// Of what stores and attention read, by index of the operation.
    private let rotations: [Int: Op.Rope]
    let weights: XPUWeights
    let cache: KVCache
    let memory: StepMemory
    let domains: [RowDomain]
    let vocabularyTable: Weight
    /// Those whose factor depends on the position.
    let growingScales: [Op.Scale]
    /// Sub-group size of the device's matrix engine.
    let matrixLanes: Int?
    let tiling: AttentionTiling

    /// Work-items of a group where each computes one element.
    private static let width = 64

    init(
        _ fused: FusedProgram, _ weights: XPUWeights, _ cache: KVCache, _ memory: StepMemory, matrixLanes: Int?
    ) {
        program = fused.program
        rotations = fused.rotations
        self.weights = weights
        self.cache = cache
        self.memory = memory
        self.matrixLanes = matrixLanes
        tiling = AttentionTiling(program, cache, matrixLanes: matrixLanes)
        domains = RowDomain.of(program)
        growingScales = program.growingScales
        let tables = program.ops.compactMap { if case .embed(let op) = $0 { op.table } else { nil } }
        guard let table = tables.first else { preconditionFailure("the program embeds no tokens") }
        vocabularyTable = table
    }

    /// - Throws: ``BackendError/unsupported(_:)`` where a shape has no kernels.
    static func checkSupport(_ program: Program) throws(BackendError) {
        for layer in program.cache.layers where layer.valueLength > 512 {
            throw .unsupported("values of \(layer.valueLength) dimensions per head")
        }
        for op in program.ops {
            guard case .moe(let op) = op, let groups = op.routing.groups, groups.count > 64 else { continue }
            throw .unsupported("experts in \(groups.count) groups")
        }
    }

    func record(
        _ shape: StepShape, _ control: ControlBlock, _ splitStates: Slice, into recorder: inout Recorder
    ) throws(XPUError) {
        let step = Step(
            shape: shape, control: control, layout: control.layout(shape), splitStates: splitStates,
            preparation: Preparation(memory.prepared))
        for index in program.ops.indices { try record(index, step, into: &recorder) }
    }

    /// What a list is recorded for.
    struct Step {
        let shape: StepShape
        let control: ControlBlock
        let layout: ControlBlock.Layout
        let splitStates: Slice
        let preparation: Preparation

        func rows(_ domain: RowDomain) -> Int { domain == .all ? shape.rows : shape.outputs }
        func count(_ domain: RowDomain) -> Argument { .read(control.count(domain)) }
        func part(_ offset: Int) -> Argument { .read(control.slice(offset)) }
    }

    private func record(_ index: Int, _ step: Step, into recorder: inout Recorder) throws(XPUError) {
        if step.preparation.done == index { return }
        let op = program.ops[index]
        if let output = op.writes.first, step.rows(domains[output.index]) == 0 { return }
        switch op {
        case .embed(let op): try embed(op, step, &recorder)
        case .norm(let op): try norm(op, index, step, &recorder)
        case .linear(let op): try linear(op, index, step, &recorder)
        case .headLinear(let op): try headLinear(op, step, &recorder)
        case .join(let op): try join(op, step, &recorder)
        case .rope(let op): try rope(op, step, &recorder)
        case .store(let op): try store(op, rotations[index], step, &recorder)
        case .attention(let op): try attention(op, rotations[index], index, step, &recorder)
        case .moe(let op): try mixture(op, step, &recorder)
        case .gate(let op): try gate(op, index, step, &recorder)
        case .activate(let op):
            try elements("activate", op.output, step, &recorder, [.int(op.activation.kernelValue)] + read(op.input))
        case .add(let op): try elements("add", op.output, step, &recorder, read(op.left) + read(op.right))
        case .scale(let op):
            let factors = growingScales.firstIndex { $0.output == op.output }
            try elements(
                "scale", op.output, step, &recorder,
                read(op.input) + [
                    .float(op.factor), factors.map { step.part(step.layout.scales[$0]) } ?? .constant(nil),
                ])
        case .softcap(let op):
            try elements("softcap", op.output, step, &recorder, read(op.input) + [.float(op.cap)])
        case .outputRows(let op):
            let width = program.width(op.output)
            try recorder.launch(
                .rows("gather_rows"), groups: (groups(width), step.shape.outputs, 1), size: Self.width,
                read(op.input) + [step.part(step.layout.outputRows), .int(width)] + write(op.output)
                    + [step.count(.outputs)])
        }
    }

    func read(_ value: Value) -> [Argument] { [.read(memory.slice(value)), .int(memory.stride(value))] }
    func write(_ value: Value) -> [Argument] { [.write(memory.slice(value)), .int(memory.stride(value))] }
    func vector(_ weight: Weight?) -> Argument { .constant(weight.flatMap { weights.vectors[$0.index] }) }
    func groups(_ width: Int) -> Int { (width + Self.width - 1) / Self.width }

    func matrix(_ weight: Weight) -> DeviceMatrix {
        guard let matrix = weights.matrices[weight.index] else {
            preconditionFailure("weight \(weight.index) was not loaded as a matrix")
        }
        return matrix
    }

    /// A kernel that computes each element of a value on its own.
    private func elements(
        _ name: String, _ output: Value, _ step: Step, _ recorder: inout Recorder, _ arguments: [Argument]
    ) throws(XPUError) {
        let domain = domains[output.index]
        let width = program.width(output)
        try recorder.launch(
            .rows(name), groups: (groups(width), step.rows(domain), 1), size: Self.width,
            arguments + [.int(width)] + write(output) + [step.count(domain), .int(1)])
    }

    private func embed(_ op: Op.Embed, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let table = matrix(op.table)
        try recorder.launch(
            .linear("embed_\(table.layout.name)"), groups: (groups(table.columns), step.shape.rows, 1),
            size: Self.width,
            [
                .constant(table.memory.slice()), step.part(step.layout.tokens), .int(table.columns), .float(op.scale),
            ] + write(op.output) + [step.count(.all)])
    }

    private func gate(_ op: Op.Gate, _ index: Int, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let width = program.width(op.output)
        guard program.width(op.gate) == width, let readers = codeReaders(of: op.output, after: index), readers.takeAll
        else {
            return try elements(
                "gate", op.output, step, &recorder,
                [.int(op.activation.kernelValue)] + read(op.gate)
                    + [.int(program.width(op.up) / program.width(op.gate))] + read(op.up))
        }
        let domain = domains[op.output.index]
        try recorder.launch(
            .rows("gate_prepare"), groups: (width / readers.columns, step.rows(domain), 1),
            size: WeightLayout.tileRows * Self.sharing(readers.columns),
            [.int(op.activation.kernelValue)] + read(op.gate) + read(op.up) + [.int(width)] + memory.prepared.written
                + [step.count(domain), .int(1)])
        step.preparation.hold(PreparedValue(value: op.output, columns: readers.columns), in: memory.prepared)
    }

    private func norm(_ op: Op.Norm, _ index: Int, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let domain = domains[op.input.index]
        let length = program.width(op.input) / op.groups
        let size = Self.normChains(length)
        let readers = op.groups == 1 ? codeReaders(of: op.output, after: index) : nil
        let values = readers?.takeAll == true ? [.constant(nil), .int(0)] : write(op.output)
        let output =
            values + (readers == nil ? Self.nothingPrepared : memory.prepared.written)
            + [.int(readers.map { Self.sharing($0.columns) } ?? 1)]
        if let readers {
            step.preparation.hold(PreparedValue(value: op.output, columns: readers.columns), in: memory.prepared)
        }
        // A weight is that of one part, or of the whole row.
        let weightStep = op.weight.map { program[$0].count > length ? length : 0 } ?? 0
        try recorder.launch(
            .rows(op.kind == .rms ? "norm_rms" : "norm_layer"), groups: (op.groups, step.rows(domain), 1), size: size,
            read(op.input) + [
                vector(op.weight), .int(weightStep), vector(op.bias), .float(op.epsilon), .int(length),
            ]
                + output + [step.count(domain), .local(Self.normBytes(length))])
    }

    private func rope(_ op: Op.Rope, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let width = program.width(op.input)
        try recorder.launch(
            .rows("rope"), groups: (groups(width), step.shape.rows, 1), size: Self.width,
            read(op.input) + rotation(op, step) + [.int(width / op.heads), .int(width)] + write(op.output)
                + [step.count(.all)])
    }

    private func join(_ op: Op.Join, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let domain = domains[op.output.index]
        let length = program.width(op.output) / op.heads
        var offset = 0
        for piece in op.pieces {
            let items = piece.range.count * op.heads
            try recorder.launch(
                .rows("join"), groups: (groups(items), step.rows(domain), 1), size: Self.width,
                read(piece.value) + [
                    .int(program.width(piece.value) / piece.heads), .int(piece.heads), .int(piece.range.lowerBound),
                    .int(piece.range.count), .int(op.heads), .int(length), .int(offset),
                ] + write(op.output) + [step.count(domain)])
            offset += piece.range.count
        }
    }
}

extension Program {
    var growingScales: [Op.Scale] {
        ops.compactMap { if case .scale(let op) = $0, op.growth != nil { op } else { nil } }
    }
}

extension Op.Activation {
    /// Its number in kernels/rows.cl.
    var kernelValue: Int {
        switch self {
        case .silu: 0
        case .geluTanh: 1
        case .gelu: 2
        case .relu: 3
        case .reluSquared: 4
        case .sigmoid: 5
        case .clampedSwish: 6
        }
    }
}
