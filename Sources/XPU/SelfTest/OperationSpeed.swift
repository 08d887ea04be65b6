internal import Compute
internal import Quant

/// How long operations take: the difference between steps with many and with few of them, so that what a step costs besides does not
/// count. Bytes are those that an operation must read and write.
enum OperationSpeed {
    private static let few = 1
    private static let many = 5
    private static let repeats = 3

    /// One generated token's attention over a long context: bytes per second of keys and values.
    static func attention(_ backend: XPUBackend, _ kv: KVFormat) throws -> Double {
        let (positions, heads, kvHeads, length) = (2048, 32, 8, 128)
        let weights = SyntheticWeights()
        weights.floats("x.weight", [heads * length, 1])
        let layer = CacheLayout.Layer(kvHeads: kvHeads, keyLength: length, valueLength: length)
        let cache = CacheLayout(layers: [layer])
        let time = try seconds(
            backend, weights, rows: 1, firstPosition: positions - 1, cache: cache, kv: kv
        ) { g, count in
            let x = g.embed("x", vocabulary: 1, width: heads * length)
            var y = x
            for _ in 0..<count {
                y = g.attention(x, layer: 0, heads: heads, valueLength: length, scale: 0.1)
            }
            return y
        }
        let values = 2 * positions * kvHeads * length
        return Double(kv.format.byteCount(of: values) ?? 0) / time
    }

    /// One token's chosen experts: bytes per second of their weights.
    static func mixture(_ backend: XPUBackend) throws -> Double {
        let (width, hidden, experts, used) = (512, 512, 8, 2)
        let weights = SyntheticWeights()
        weights.floats("x.weight", [width, 1])
        weights.floats("router.weight", [width, experts])
        for name in ["gate", "up"] { weights.floats("\(name).weight", [width, hidden, experts], size: 0.2) }
        weights.floats("down.weight", [hidden, width, experts], size: 0.2)
        let time = try seconds(backend, weights, rows: 1) { g, count in
            let x = g.embed("x", vocabulary: 1, width: width)
            let router = g.linear(x, "router", outputs: experts)
            var y = x
            for _ in 0..<count {
                y = g.moe(
                    x, router: router, gate: "gate", up: "up", down: "down", experts: experts, used: used,
                    hidden: hidden, routing: .softmaxNormalised, activation: .silu)
            }
            return y
        }
        return Double(used * 3 * width * hidden * 4) / time
    }

    /// Rows of a prompt, read and written.
    static func norm(_ backend: XPUBackend, _ kind: Op.Norm.Kind) throws -> Double {
        let (width, rows) = (4096, 256)
        let weights = SyntheticWeights()
        weights.floats("x.weight", [width, rows])
        weights.floats("norm.weight", [width], around: 1, size: 0.2)
        weights.floats("norm.bias", [width], size: 0.2)
        let time = try seconds(backend, weights, rows: rows) { g, count in
            let x = g.embed("x", vocabulary: rows, width: width)
            var y = x
            for _ in 0..<count { y = g.norm(x, "norm", epsilon: 1e-5, kind: kind) }
            return y
        }
        return Double(2 * rows * width * 4) / time
    }

    /// Of one operation, of which `draw` makes as many as it is told.
    static func seconds(
        _ backend: XPUBackend, _ weights: SyntheticWeights, rows: Int, firstPosition: Int = 0,
        cache: CacheLayout = CacheLayout(layers: []), kv: KVFormat = .f16,
        _ draw: (inout ProgramBuilder, Int) -> Value
    ) throws -> Double {
        var times: [Double] = []
        for count in [few, many] {
            var g = ProgramBuilder(weights)
            let y = draw(&g, count)
            let program = try g.finish(logits: g.outputRows(y), cache: cache)
            times.append(try step(backend, weights, program, rows: rows, firstPosition: firstPosition, kv: kv))
        }
        return max(times[1] - times[0], 1e-9) / Double(many - few)
    }

    private static func step(
        _ backend: XPUBackend, _ weights: SyntheticWeights, _ program: Program, rows: Int, firstPosition: Int,
        kv: KVFormat
    ) throws -> Double {
        let blocks = (firstPosition + rows + 31) / 32
        let executable = try backend.compile(
            program, weights: try backend.load(weights, for: program, progress: { _ in }),
            cache: KVCacheConfiguration(format: kv.format, blockCount: blocks),
            limits: StepLimits(rows: rows, sequences: 1, outputRows: 1))
        var inputs = StepInputs()
        inputs.tokens = (0..<rows).map { Int32($0) }
        inputs.sequences = [.init(firstRow: 0, rowCount: rows, firstPosition: firstPosition, blockTable: 0)]
        inputs.blockTables = (0..<blocks).map { Int32($0) }
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
