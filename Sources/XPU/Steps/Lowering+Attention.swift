internal import Compute

/// The KV cache and attention over it.
extension Lowering {
    func store(_ op: Op.Store, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let shape = program.cache.layers[op.layer]
        try recorder.launch(
            .attention("store_\(cache.format)"), groups: (shape.kvHeads, step.shape.rows, 1),
            size: WeightLayout.tileRows,
            [
                .write(cache.slice(layer: op.layer)), .int(shape.keyLength), .int(shape.valueLength),
                .int(shape.kvHeads),
            ] + read(op.key) + read(op.value) + places(shape, step) + [step.count(.all)])
    }

    func attention(_ op: Op.Attention, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let shape = program.cache.layers[op.layer]
        let values = Self.sizeClass(shape.valueLength)
        let common: [Argument] =
            [
                .read(cache.slice(layer: op.layer)), .int(shape.keyLength), .int(shape.valueLength),
                .int(shape.kvHeads),
            ] + read(op.query) + [
                .float(op.scale), .float(op.softcap ?? 0), .int(shape.window ?? 0), .int(shape.chunk ?? 0),
            ] + places(shape, step)
            + [step.count(.all)]
        let rows = step.shape.rows
        let size = WeightLayout.tileRows
        guard Self.splitsApart(step.shape) else {
            return try recorder.launch(
                .attention("attend_\(cache.format)_\(values)"), groups: (op.heads, rows, 1), size: size,
                common + [vector(op.sinks)] + write(op.output))
        }
        try recorder.launch(
            .attention("attend_split_\(cache.format)_\(values)"), groups: (op.heads, rows, step.shape.splits),
            size: size, common + [.write(step.splitStates)])
        try recorder.launch(
            .attention("merge_splits_\(values)"), groups: (op.heads, rows, 1), size: size,
            [
                .read(step.splitStates), .int(step.shape.splits), .int(shape.valueLength), .int(shape.window ?? 0),
                .int(shape.chunk ?? 0),
                step.part(step.layout.positions), vector(op.sinks),
            ] + write(op.output) + [step.count(.all)])
    }

    /// Bytes of the states that steps of a shape keep apart.
    func splitStateBytes(_ shape: StepShape) -> Int {
        guard Self.splitsApart(shape) else { return 0 }
        let perRow = program.ops.compactMap { op -> Int? in
            guard case .attention(let op) = op else { return nil }
            return op.heads * (2 + program.cache.layers[op.layer].valueLength)
        }
        return (perRow.max() ?? 0) * shape.rows * shape.splits * 4
    }

    /// Few rows leave the device idle unless sub-groups share a row's positions. The sums are the same either way.
    private static func splitsApart(_ shape: StepShape) -> Bool { shape.splits > 1 && shape.rows <= 16 }

    /// Where rows are: positions, starts of block tables, block tables.
    private func places(_ layer: CacheLayout.Layer, _ step: Step) -> [Argument] {
        let starts = layer.reach == nil ? step.layout.tableStarts : step.layout.windowTableStarts
        return [step.part(step.layout.positions), step.part(starts), step.part(step.layout.tables)]
    }

    /// The kernels for values of a length hold up to 4, 8 or 16 times 16 of them.
    private static func sizeClass(_ length: Int) -> Int { length <= 64 ? 4 : length <= 128 ? 8 : 16 }
}
