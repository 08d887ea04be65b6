internal import Compute
internal import Quant

/// How fast products with a large matrix are: the difference between steps with many and with few of them, so that what a step costs
/// besides does not count. The matrix is as large as it must be for that to be a time that can be measured.
struct ProductSpeed {
    let bytesPerSecond: Double
    let operationsPerSecond: Double

    private static let columns = 4096
    private static let weightBytes = [1 << 20, 32 << 20]
    private static let longEnough = 2e-4
    private static let rows = 64
    private static let few = 1
    private static let many = 5
    private static let repeats = 3

    init(_ backend: XPUBackend, _ format: Format) throws {
        let rowBytes = format.byteCount(of: Self.columns) ?? 1
        var (bytesPerSecond, operationsPerSecond) = (0.0, 0.0)
        for bytes in Self.weightBytes {
            let outputs = bytes / rowBytes / 16 * 16
            let weights = SyntheticWeights()
            weights.exactRows("x.weight", columns: Self.columns, rows: Self.rows)
            weights.matrix("w.weight", format, columns: Self.columns, rows: outputs)
            let one = try Self.seconds(backend, weights, outputs: outputs, rows: 1)
            let batch = try Self.seconds(backend, weights, outputs: outputs, rows: Self.rows)
            bytesPerSecond = Double(rowBytes * outputs) / one
            operationsPerSecond = 2 * Double(Self.columns * outputs * Self.rows) / batch
            if one > Self.longEnough { break }
        }
        self.bytesPerSecond = bytesPerSecond
        self.operationsPerSecond = operationsPerSecond
    }

    /// Of one product.
    private static func seconds(
        _ backend: XPUBackend, _ weights: SyntheticWeights, outputs: Int, rows: Int
    ) throws -> Double {
        let times = try [few, many].map { count in
            try stepSeconds(backend, weights, outputs: outputs, rows: rows, products: count)
        }
        return max(times[1] - times[0], 1e-9) / Double(many - few)
    }

    private static func stepSeconds(
        _ backend: XPUBackend, _ weights: SyntheticWeights, outputs: Int, rows: Int, products: Int
    ) throws -> Double {
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: Self.rows, width: columns)
        var y = x
        for _ in 0..<products { y = g.linear(x, "w", outputs: outputs) }
        let program = try g.finish(logits: g.outputRows(y), cache: CacheLayout(layers: []))
        let executable = try backend.compile(
            program, weights: try backend.load(weights, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(format: .f16, blockCount: 4),
            limits: StepLimits(rows: rows, sequences: 1, outputRows: 1))
        var inputs = StepInputs()
        inputs.tokens = (0..<rows).map { Int32($0) }
        inputs.sequences = [.init(firstRow: 0, rowCount: rows, firstPosition: 0, blockTable: 0)]
        inputs.blockTables = [0, 1, 2, 3]
        inputs.outputRows = [0]
        var outputs = try StepOutputs(rows: 1, vocabulary: program.vocabularySize)
        try executable.run(inputs, into: &outputs)
        var best = Double.infinity
        for _ in 0..<repeats {
            let start = ContinuousClock.now
            try executable.run(inputs, into: &outputs)
            best = min(best, (ContinuousClock.now - start).inSeconds)
        }
        return best
    }
}
