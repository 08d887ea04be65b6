internal import Compute

/// Matrix products: dense, and of the experts of a mixture.
extension Lowering {
    /// Input rows of a product: plain floats, or as ``StepMemory/prepared`` codes.
    private struct Input {
        let values: Slice
        let stride: Int
        let columns: Int
    }

    /// Rows of a product's output: `used` slots per row of the step, one per chosen expert or head.
    struct Rows {
        let capacity: Int
        let count: Argument
        var used = 1
        /// Slots that read the same input.
        var share = 1
        var chosen: Slice?
        /// Groups of slots of one expert that share a tile of rows, and how many there are at most.
        var groups: (order: Slice, groups: Slice, capacity: Int)?

        /// Rows that share a tile of weights: slots next to each other may be of different experts, also where each row has one.
        var tile: Int { groups != nil || chosen == nil && used == 1 && capacity > 1 ? 8 : 1 }
    }

    func linear(_ op: Op.Linear, _ index: Int, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let domain = domains[op.input.index]
        let input = Input(
            values: memory.slice(op.input), stride: memory.stride(op.input), columns: program.width(op.input))
        let rows = Rows(capacity: step.rows(domain), count: step.count(domain))
        let products = op.projections.map { projection in
            Product(
                matrix: matrix(projection.weight), bias: vector(projection.bias),
                residual: projection.residual.map { (memory.slice($0), memory.stride($0)) },
                output: memory.slice(projection.output), stride: memory.stride(projection.output))
        }
        let finish = finish(op, index, products, rows, step)
        try launch(products, input, of: op.input, rows, sources: rows, finish, step, &recorder)
        if let finish { step.preparation.note(finish, index + 1) }
    }

    func headLinear(_ op: Op.HeadLinear, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let domain = domains[op.input.index]
        let matrix = matrix(op.weight)
        let input = Input(values: memory.slice(op.input), stride: memory.stride(op.input), columns: matrix.columns)
        let rows = Rows(capacity: step.rows(domain) * op.heads, count: step.count(domain), used: op.heads, share: 1)
        let product = Product(matrix: matrix, output: memory.slice(op.output), stride: memory.stride(op.output))
        try launch([product], input, of: nil, rows, sources: rows, nil, step, &recorder)
    }

    func mixture(_ op: Op.MoE, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let experts = memory.mixture
        let (gate, up, down) = (matrix(op.gate), matrix(op.up), matrix(op.down))
        let width = program.width(op.input)
        let hidden = program[op.gate].rows
        let rows = step.shape.rows
        let slots = rows * op.used
        let all = step.count(.all)
        let routing = op.routing
        try recorder.launch(
            .rows("route"), groups: ((rows + 15) / 16, 1, 1), size: 16,
            read(op.router) + [
                .int(program.width(op.router)), .int(op.used), .int(routing.score == .sigmoid ? 1 : 0),
                .int(routing.normalised ? 1 : 0), .float(routing.scale), vector(op.choiceBias),
                .int(routing.groups?.count ?? 0), .int(routing.groups?.used ?? 0), .int(routing.groups?.best ?? 0),
                .write(experts.chosen), .write(experts.shares), all,
            ])

        let byExpert = try group(slots: slots, op, step, &recorder)
        let own = Rows(capacity: slots, count: all, used: op.used, share: 1, chosen: experts.chosen, groups: byExpert)
        var input = Input(values: memory.slice(op.input), stride: memory.stride(op.input), columns: width)
        var inputRows = Rows(
            capacity: slots, count: all, used: op.used, share: op.used, chosen: experts.chosen, groups: byExpert)
        var sources = Rows(capacity: rows, count: all)
        if routing.weighsInput {
            // Every chosen expert has an input of its own; the memory for the last products is still free.
            try recorder.launch(
                .rows("weigh_inputs"), groups: (groups(width), slots, 1), size: 64,
                read(op.input) + [
                    .read(experts.shares), .int(op.used), .int(width), .write(experts.down), all,
                ])
            input = Input(values: experts.down, stride: op.used * width, columns: width)
            inputRows = own
            sources = own
        }
        let products = [
            Product(matrix: gate, bias: vector(op.biases?.gate), output: experts.gate, stride: op.used * hidden),
            Product(matrix: up, bias: vector(op.biases?.up), output: experts.up, stride: op.used * hidden),
        ]
        let activation = op.activation.kernelValue
        let columns = down.layout.activationColumns
        let finish = columns.flatMap { self.finish(gates: activation, $0, products, inputRows, step) }
        try launch(
            products, input, of: routing.weighsInput ? nil : op.input, inputRows, sources: sources, finish, step,
            &recorder)
        let gates: [Argument] = [.int(activation), .read(experts.gate), .int(hidden)]
        step.preparation.hold(nil, in: finish?.codes ?? memory.prepared)
        if let columns, finish == nil {
            try recorder.launch(
                .rows("gate_prepare"), groups: (hidden / columns, slots, 1),
                size: WeightLayout.tileRows * Self.sharing(columns),
                gates + [.read(experts.up), .int(hidden), .int(hidden)] + memory.prepared.written
                    + [all, .int(op.used)])
        } else if columns == nil {
            try recorder.launch(
                .rows("gate"), groups: (groups(hidden), slots, 1), size: 64,
                gates + [
                    .int(1), .read(experts.up), .int(hidden), .int(hidden), .write(experts.gate), .int(hidden), all,
                    .int(op.used),
                ])
        }
        let middle = Input(values: experts.gate, stride: op.used * hidden, columns: hidden)
        try launch(
            [Product(matrix: down, bias: vector(op.biases?.down), output: experts.down, stride: op.used * width)],
            middle, own, nil, step, &recorder)
        let weights: Argument = routing.weighsInput ? .constant(nil) : .read(experts.shares)
        try recorder.launch(
            .rows("combine_experts"), groups: (groups(width), rows, 1), size: 64,
            [.read(experts.down), weights, .int(op.used), .int(width)] + write(op.output) + [all])
    }

    /// As many slots are grouped by expert.
    static func groupedSlots(experts: Int) -> Int { 2 * experts }

    /// Slots by expert, where experts have several of them; the bits are the same either way.
    private func group(
        slots: Int, _ op: Op.MoE, _ step: Step, _ recorder: inout Recorder
    ) throws(XPUError) -> (order: Slice, groups: Slice, capacity: Int)? {
        typealias Experts = StepMemory.Sizes.Experts
        let count = program.width(op.router)
        guard slots >= Self.groupedSlots(experts: count) else { return nil }
        let grouping = memory.grouping
        try recorder.launch(
            .rows("group_slots"), groups: (1, 1, 1), size: 256,
            [
                .read(memory.mixture.chosen), .int(op.used), .int(count), .int(Experts.groupRows),
                .write(grouping.order), .write(grouping.groups), step.count(.all), .local(count * 8),
            ])
        return (grouping.order, grouping.groups, Experts.groups(slots: slots, experts: count))
    }

    /// Products of one input, whose rows `sources` are prepared where they are not held as codes yet: once for all layouts with as
    /// many columns to a scale.
    private func launch(
        _ products: [Product], _ input: Input, of value: Value?, _ rows: Rows, sources: Rows, _ finish: Finish?,
        _ step: Step, _ recorder: inout Recorder
    ) throws(XPUError) {
        var kinds: [Int?] = WeightLayout.activationColumns(products.map(\.matrix.layout))
        // What is there already comes first.
        if let held = step.preparation.held, held.value == value, let first = kinds.firstIndex(of: held.columns) {
            kinds.swapAt(0, first)
        }
        for columns in kinds + [nil] {
            let mine = products.filter { $0.matrix.layout.activationColumns == columns }
            guard !mine.isEmpty else { continue }
            if let columns {
                let wanted = value.map { PreparedValue(value: $0, columns: columns) }
                if wanted == nil || step.preparation.held != wanted {
                    try prepare(input, sources, columns: columns, &recorder)
                    step.preparation.hold(wanted, in: memory.prepared)
                }
            }
            for group in Product.groups(mine) { try launch(group, input, rows, finish, step, &recorder) }
        }
    }

    /// Rows of an input as 8-bit codes, with a scale per `columns`.
    private func prepare(
        _ input: Input, _ rows: Rows, columns: Int, _ recorder: inout Recorder
    ) throws(XPUError) {
        try recorder.launch(
            .linear("quantize"), groups: (input.columns / columns, rows.capacity, 1),
            size: WeightLayout.tileRows * Self.sharing(columns),
            [.read(input.values), .int(input.stride), .int(input.columns)] + memory.prepared.written
                + [rows.count, .int(rows.used)])
    }

    /// Products of one input with matrices of one layout and as many columns, in one launch.
    private func launch(
        _ products: [Product], _ input: Input, _ rows: Rows, _ finish: Finish?, _ step: Step,
        _ recorder: inout Recorder
    ) throws(XPUError) {
        let first = products[0]
        let layout = first.matrix.layout
        let tileRows = rows.tile
        let outputs = products.reduce(0) { $0 + $1.matrix.rows }
        let splits = SplitTable.splits(rows: outputs, columns: first.matrix.columns)
        let activations: [Argument] =
            layout.activationColumns != nil
            ? step.preparation.rows.read + [.constant(nil), .int(0)]
            : [.constant(nil), .constant(nil), .constant(nil), .read(input.values), .int(input.stride)]
        let engine = layout.usesEngine(rows: tileRows, columns: first.matrix.columns) ? matrixLanes : nil
        let lanes = engine ?? WeightLayout.tileRows
        let tiles = products.reduce(0) { $0 + layout.tiles(rows: $1.matrix.rows) }
        let others = [1, 2].map { products.count > $0 ? products[$0] : nil }
        var arguments: [Argument] = [.constant(first.matrix.memory.slice())] + activations
        arguments += [
            .int(first.matrix.columns), .int(first.matrix.rows), first.bias, .read(first.residual?.slice),
            .int(first.residual?.stride ?? 0), .write(first.output), .int(first.stride), rows.count, .int(rows.used),
            .int(rows.share), .read(rows.chosen), .long(first.matrix.experts > 1 ? first.matrix.expertBytes : 0),
        ]
        arguments += [.read(rows.groups?.order), .read(rows.groups?.groups)]
        arguments += others.map { .constant($0?.matrix.memory.slice()) }
        arguments += others.map { .int($0?.matrix.rows ?? 0) }
        arguments += others.map { $0?.bias ?? .constant(nil) }
        arguments += others.map { .write($0?.output) }
        arguments += others.map { .int($0?.stride ?? 0) }
        arguments += finish?.arguments ?? Finish.none
        arguments.append(.local(max(tileRows * splits * WeightLayout.tileRows * 4, finish?.localBytes ?? 0)))
        try recorder.launch(
            engine.map { .matrix("matrix_\(layout.name)_rows\(tileRows)", lanes: $0) }
                ?? .linear("linear_\(layout.name)_rows\(tileRows)"),
            groups: (tiles, rows.groups?.capacity ?? (rows.capacity + tileRows - 1) / tileRows, 1),
            size: lanes * splits,
            arguments)
    }
}

/// A matrix to multiply with, and where the result goes.
struct Product {
    let matrix: DeviceMatrix
    var bias: Argument = .constant(nil)
    var residual: (slice: Slice, stride: Int)?
    let output: Slice
    let stride: Int

    /// Products with the same input that one launch takes: up to three without residuals, of one layout.
    static func groups(_ products: [Product]) -> [[Product]] {
        var groups: [[Product]] = []
        for product in products {
            let fits = groups.firstIndex { group in
                group.count < 3
                    && (group + [product]).allSatisfy { $0.residual == nil }
                    && group[0].matrix.layout == product.matrix.layout
                    && (group + [product]).allSatisfy {
                        $0.matrix.experts == 1 || $0.matrix.expertBytes == product.matrix.expertBytes
                    }
            }
            if let fits { groups[fits].append(product) } else { groups.append([product]) }
        }
        return groups
    }
}
