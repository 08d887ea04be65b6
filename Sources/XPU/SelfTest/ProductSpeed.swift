internal import Compute
internal import Quant

/// How fast products with a large matrix are. The matrix is as large as it must be for a time that can be measured.
struct ProductSpeed {
    let bytesPerSecond: Double
    let operationsPerSecond: Double

    private static let columns = 4096
    private static let weightBytes = [1 << 20, 32 << 20]
    private static let longEnough = 2e-4
    private static let rows = 64

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
        try OperationSpeed.seconds(backend, weights, rows: rows) { g, count in
            let x = g.embed("x", vocabulary: Self.rows, width: columns)
            var y = x
            for _ in 0..<count { y = g.linear(x, "w", outputs: outputs) }
            return y
        }
    }
}
