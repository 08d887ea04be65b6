internal import Compute

/// Matrix products: dense, and of the experts of a mixture.
extension Lowering {
    /// Input rows of a product: plain floats, or as ``StepMemory/prepared`` codes.
    private struct Input {
        let values: Slice
        let stride: Int
        let columns: Int
    }

    /// Rows of a product's output. Where rows are chosen experts of input rows, there are `used` per row.
    private struct Rows {
        let capacity: Int
        let count: Argument
        var used = 1
        /// Output rows per input row.
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

    func mixture(_ op: Op.MoE, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let experts = memory.mixture
        let (gate, up, down) = (matrix(op.gate), matrix(op.up), matrix(op.down))
        let width = program.width(op.input)
        let hidden = program[op.gate].rows
        let rows = step.shape.rows
        let all = step.count(.all)
        try recorder.launch(
            .rows("route"), groups: ((rows + 15) / 16, 1, 1), size: 16,
            read(op.router) + [
                .int(program.width(op.router)), .int(op.used), .int(op.routing == .softmax ? 1 : 0),
                .write(experts.chosen), .write(experts.shares), all,
            ])

        let input = Input(values: memory.slice(op.input), stride: memory.stride(op.input), columns: width)
        if gate.layout.isInteger || up.layout.isInteger {
            try prepare(input, Rows(capacity: rows, count: all), &recorder)
        }
        let shared = Rows(
            capacity: rows * op.used, count: all, used: op.used, share: op.used, chosen: experts.chosen)
        let none: [Argument] = [.constant(nil), .constant(nil), .int(0)]
        try product(gate, input, shared, addends: none, output: experts.gate, stride: hidden, &recorder)
        try product(up, input, shared, addends: none, output: experts.up, stride: hidden, &recorder)
        try recorder.launch(
            .rows("gate"), groups: (groups(hidden), rows * op.used, 1), size: 64,
            [
                .int(op.activation.kernelValue), .read(experts.gate), .int(hidden), .read(experts.up), .int(hidden),
                .int(hidden), .write(experts.gate), .int(hidden), all, .int(op.used),
            ])
        let middle = Input(values: experts.gate, stride: hidden, columns: hidden)
        let own = Rows(capacity: rows * op.used, count: all, used: op.used, chosen: experts.chosen)
        if down.layout.isInteger { try prepare(middle, own, &recorder) }
        try product(down, middle, own, addends: none, output: experts.down, stride: width, &recorder)
        try recorder.launch(
            .rows("combine_experts"), groups: (groups(width), rows, 1), size: 64,
            [.read(experts.down), .read(experts.shares), .int(op.used), .int(width)] + write(op.output) + [all])
    }

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
        let tileRows = rows.chosen == nil && rows.capacity > 1 ? 8 : 1
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
                    .long(matrix.expertBytes), .local(tileRows * splits * WeightLayout.tileRows * 4),
                ])
    }
}
