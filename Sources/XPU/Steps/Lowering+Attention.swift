internal import Compute

/// The KV cache and attention over it.
extension Lowering {
    func store(_ op: Op.Store, _ rope: Op.Rope?, _ step: Step, _ recorder: inout Recorder) throws(XPUError) {
        let shape = program.cache.layers[op.layer]
        try recorder.launch(
            .attention("store_\(cache.format)"), groups: (shape.kvHeads, step.shape.rows, 1),
            size: WeightLayout.tileRows,
            [
                .write(cache.slice(layer: op.layer)), .int(shape.keyLength), .int(shape.valueLength),
                .int(shape.kvHeads),
            ] + read(op.key) + rotation(rope, step) + read(op.value) + places(shape, step) + [step.count(.all)])
    }

    func attention(
        _ op: Op.Attention, _ rope: Op.Rope?, _ index: Int, _ step: Step, _ recorder: inout Recorder
    ) throws(XPUError) {
        let shape = program.cache.layers[op.layer]
        let kernel = AttentionKernel(
            shape, heads: op.heads, tileTokens: step.shape.tileTokens,
            rows: step.shape.tileTokens == 1 ? tiling.rows : tiling.chunkRows, matrixLanes: tiling.matrixLanes)
        let common: [Argument] =
            [
                .read(cache.slice(layer: op.layer)), .int(shape.keyLength), .int(shape.valueLength),
                .int(shape.kvHeads),
            ] + read(op.query) + rotation(rope, step) + [
                .int(op.heads), .int(kernel.tileHeads), .float(op.scale), .float(op.softcap ?? 0),
                .int(shape.window ?? 0), .int(shape.chunk ?? 0),
            ] + places(shape, step) + [
                step.part(step.layout.tiles), .read(step.control.tileCount), .local(kernel.queryBytes),
            ]
        guard Self.splitsApart(step.shape) else {
            return try recorder.launch(
                kernel.name("attend_\(cache.format)"), groups: (kernel.groups, step.shape.tiles, 1), size: kernel.size,
                common + [vector(op.sinks)] + write(op.output) + [.local(kernel.mixBytes)])
        }
        try recorder.launch(
            kernel.name("attend_split_\(cache.format)"),
            groups: (kernel.groups, step.shape.tiles, step.shape.splits), size: kernel.size,
            common + [.write(step.splitStates)])
        let readers = codeReaders(of: op.output, after: index)
        let blocks = op.heads * ((shape.valueLength + Self.preparedBlock - 1) / Self.preparedBlock)
        let columns = shape.valueLength % Self.preparedBlock == 0 && readers?.takeAll == true ? readers?.columns : nil
        if let columns { step.preparation.hold(PreparedValue(value: op.output, columns: columns), in: memory.prepared) }
        let sharing = columns.map(Self.sharing) ?? 1
        try recorder.launch(
            .attention("merge_splits"), groups: (blocks / sharing, step.shape.rows, 1),
            size: WeightLayout.tileRows * sharing,
            [
                .read(step.splitStates), .int(step.shape.splits), .int(shape.valueLength), .int(shape.window ?? 0),
                .int(shape.chunk ?? 0), step.part(step.layout.positions), vector(op.sinks),
            ] + write(op.output) + (columns == nil ? Self.nothingPrepared : memory.prepared.written) + [
                step.count(.all)
            ])
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

    /// Few rows leave the device idle unless work-groups share a row's positions. The sums are the same either way.
    private static func splitsApart(_ shape: StepShape) -> Bool { shape.splits > 1 && shape.rows <= 16 }

    /// Where rows are: positions, starts of block tables, block tables.
    private func places(_ layer: CacheLayout.Layer, _ step: Step) -> [Argument] {
        let starts = layer.reach == nil ? step.layout.tableStarts : step.layout.windowTableStarts
        return [step.part(step.layout.positions), step.part(starts), step.part(step.layout.tables)]
    }

    /// The angles of a rotation; none for `nil`.
    func rotation(_ rope: Op.Rope?, _ step: Step) -> [Argument] {
        guard let rope else { return [.constant(nil), .constant(nil), .int(0), .int(0), .int(0)] }
        let table = program.ropes[rope.table]
        let pairs = table.inverseFrequencies.count
        let cosines = step.layout.ropes[rope.table]
        return [
            step.part(cosines), step.part(cosines + step.shape.rows * pairs), .int(pairs),
            .int(table.pairing == .halves ? 1 : 0), .int(rope.offset),
        ]
    }
}

/// How attention takes query rows (heads of tokens) together, so that each key and value is read once for a tile of them.
struct AttentionTiling {
    /// Sub-group size of the matrix engine, where attention runs on it: a device with one uses it for every row of a cache that half
    /// precision holds.
    let matrixLanes: Int?
    /// Query rows of a tile: where every sequence brings one token, and otherwise. Tokens of the latter.
    let rows: Int
    let chunkRows: Int
    let tokens: Int

    init(_ program: Program, _ cache: KVCache, matrixLanes: Int?) {
        self.matrixLanes = cache.format == "f32" ? nil : matrixLanes
        // What the registers hold: kernels/attention.cl, kernels/matrix_attention.h.
        rows = self.matrixLanes == nil && cache.format == "q8_0" ? 4 : 8
        chunkRows = self.matrixLanes != nil && cache.format == "f16" ? 16 : rows
        var sharing = 1
        for case .attention(let op) in program.ops {
            sharing = max(sharing, op.heads / program.cache.layers[op.layer].kvHeads)
        }
        tokens = max(1, chunkRows / sharing)
    }
}

/// The kernel for a layer's heads, and its sizes.
private struct AttentionKernel {
    private let matrixLanes: Int?
    private let rows: Int
    /// Heads of a tile.
    let tileHeads: Int
    /// Work-groups per tile of tokens: KV heads times parts of their query heads.
    let groups: Int
    /// Work-items of a work-group. A sub-group takes 16 dimensions of values.
    let size: Int
    let queryBytes: Int
    let mixBytes: Int

    init(_ layer: CacheLayout.Layer, heads: Int, tileTokens: Int, rows: Int, matrixLanes: Int?) {
        self.matrixLanes = matrixLanes
        self.rows = rows
        let sharing = heads / layer.kvHeads
        tileHeads = max(1, min(sharing, rows / tileTokens))
        groups = layer.kvHeads * ((sharing + tileHeads - 1) / tileHeads)
        let lanes = WeightLayout.tileRows
        let keyChunks = (layer.keyLength + lanes - 1) / lanes
        let valueChunks = (layer.valueLength + lanes - 1) / lanes
        size = max(4, valueChunks) * (matrixLanes ?? lanes)
        queryBytes = rows * keyChunks * lanes * (matrixLanes == nil ? 4 : 2)
        mixBytes = rows * valueChunks * lanes * 4
    }

    func name(_ name: String) -> KernelName {
        let function = "\(name)_rows\(rows)"
        return matrixLanes.map { .matrix(function, lanes: $0) } ?? .attention(function)
    }
}
