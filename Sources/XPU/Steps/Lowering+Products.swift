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
    private struct Rows {
        let capacity: Int
        let count: Argument
        var used = 1
        /// Slots that read the same input.
        var share = 1
        var chosen: Slice?
    }

    func linear(_ op: Op.Linear, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let domain = domains[op.input.index]
        let input = Input(
            values: memory.slice(op.input), stride: memory.stride(op.input), columns: program.width(op.input))
        let rows = Rows(capacity: step.rows(domain), count: step.count(domain))
        if op.projections.contains(where: { matrix($0.weight).layout.isInteger }) {
            try prepare(input, rows, &recorder)
        }
        for projection in op.projections {
            let residual = projection.residual
            try product(
                matrix(projection.weight), input, rows,
                addends: [
                    vector(projection.bias), .read(residual.map { memory.slice($0) }),
                    .int(residual.map { memory.stride($0) } ?? 0),
                ],
                output: memory.slice(projection.output), stride: memory.stride(projection.output), &recorder)
        }
    }

    func headLinear(_ op: Op.HeadLinear, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let domain = domains[op.input.index]
        let matrix = matrix(op.weight)
        let input = Input(values: memory.slice(op.input), stride: memory.stride(op.input), columns: matrix.columns)
        let rows = Rows(capacity: step.rows(domain) * op.heads, count: step.count(domain), used: op.heads, share: 1)
        if matrix.layout.isInteger { try prepare(input, rows, &recorder) }
        try product(
            matrix, input, rows, addends: Self.noAddends, output: memory.slice(op.output),
            stride: memory.stride(op.output), &recorder)
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

        let own = Rows(capacity: slots, count: all, used: op.used, share: 1, chosen: experts.chosen)
        var input = Input(values: memory.slice(op.input), stride: memory.stride(op.input), columns: width)
        var inputRows = Rows(capacity: slots, count: all, used: op.used, share: op.used, chosen: experts.chosen)
        let takesCodes = gate.layout.isInteger || up.layout.isInteger
        if routing.weighsInput {
            // Every chosen expert has an input of its own; the memory for the last products is still free.
            try recorder.launch(
                .rows("weigh_inputs"), groups: (groups(width), slots, 1), size: 64,
                read(op.input) + [
                    .read(experts.shares), .int(op.used), .int(width), .write(experts.down), all,
                ])
            input = Input(values: experts.down, stride: op.used * width, columns: width)
            inputRows = own
            if takesCodes { try prepare(input, own, &recorder) }
        } else if takesCodes {
            try prepare(input, Rows(capacity: rows, count: all), &recorder)
        }
        func addends(_ bias: Weight?) -> [Argument] { [vector(bias), .constant(nil), .int(0)] }
        try product(
            gate, input, inputRows, addends: addends(op.biases?.gate), output: experts.gate, stride: op.used * hidden,
            &recorder)
        try product(
            up, input, inputRows, addends: addends(op.biases?.up), output: experts.up, stride: op.used * hidden,
            &recorder)
        try recorder.launch(
            .rows("gate"), groups: (groups(hidden), slots, 1), size: 64,
            [
                .int(op.activation.kernelValue), .read(experts.gate), .int(hidden), .int(1), .read(experts.up),
                .int(hidden), .int(hidden), .write(experts.gate), .int(hidden), all, .int(op.used),
            ])
        let middle = Input(values: experts.gate, stride: op.used * hidden, columns: hidden)
        if down.layout.isInteger { try prepare(middle, own, &recorder) }
        try product(
            down, middle, own, addends: addends(op.biases?.down), output: experts.down, stride: op.used * width,
            &recorder)
        let weights: Argument = routing.weighsInput ? .constant(nil) : .read(experts.shares)
        try recorder.launch(
            .rows("combine_experts"), groups: (groups(width), rows, 1), size: 64,
            [.read(experts.down), weights, .int(op.used), .int(width)] + write(op.output) + [all])
    }

    /// No bias, no residual.
    private static let noAddends: [Argument] = [.constant(nil), .constant(nil), .int(0)]

    /// Rows of an input as 8-bit codes.
    private func prepare(_ input: Input, _ rows: Rows, _ recorder: inout Recorder) throws(XPUError) {
        let prepared = memory.prepared
        try recorder.launch(
            .linear("quantize"), groups: (input.columns / 32, rows.capacity, 1), size: WeightLayout.tileRows,
            [
                .read(input.values), .int(input.stride), .int(input.columns), .write(prepared.codes),
                .write(prepared.scales), .write(prepared.sums), rows.count, .int(rows.used),
            ])
    }

    /// - Parameter addends: Bias, residual, stride of the residual.
    private func product(
        _ matrix: DeviceMatrix, _ input: Input, _ rows: Rows, addends: [Argument], output: Slice, stride: Int,
        _ recorder: inout Recorder
    ) throws(XPUError) {
        // Slots next to each other may be of different experts, also where each row has one.
        let sharesMatrix = rows.chosen == nil && rows.used == 1
        let tileRows = sharesMatrix && rows.capacity > 1 ? 8 : 1
        let splits = SplitTable.splits(rows: matrix.rows, columns: matrix.columns)
        let prepared = memory.prepared
        let activations: [Argument] =
            matrix.layout.isInteger
            ? [.read(prepared.codes), .read(prepared.scales), .read(prepared.sums), .constant(nil), .int(0)]
            : [.constant(nil), .constant(nil), .constant(nil), .read(input.values), .int(input.stride)]
        // The matrix engine gives the same bits: its dot products are exact.
        let engine = tileRows == 8 && matrix.layout.isInteger ? matrixLanes : nil
        let lanes = engine ?? WeightLayout.tileRows
        try recorder.launch(
            engine.map { .matrix("matrix_\(matrix.layout.name)_rows8", lanes: $0) }
                ?? .linear("linear_\(matrix.layout.name)_rows\(tileRows)"),
            groups: (matrix.layout.tiles(rows: matrix.rows), (rows.capacity + tileRows - 1) / tileRows, 1),
            size: lanes * splits,
            [.constant(matrix.memory.slice())] + activations + [.int(matrix.columns), .int(matrix.rows)] + addends
                + [
                    .write(output), .int(stride), rows.count, .int(rows.used), .int(rows.share), .read(rows.chosen),
                    .long(matrix.experts > 1 ? matrix.expertBytes : 0),
                    .local(tileRows * splits * WeightLayout.tileRows * 4),
                ])
    }
}
