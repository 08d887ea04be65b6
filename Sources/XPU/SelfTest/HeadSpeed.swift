internal import Compute

/// How fast heads of rows are taken.
enum HeadSpeed {
    private static let (vocabulary, rows) = (151_936, 8)
    private static let few = 1
    private static let many = 5
    private static let repeats = 3

    /// Bytes per second of the rows, each of which must be read once.
    static func measure(_ context: Context, _ library: KernelLibrary) throws -> Double {
        let kernels = KernelSet(library)
        let weights = SyntheticWeights()
        weights.floats("x.weight", [16, 1])
        var g = ProgramBuilder(weights)
        let program = try g.finish(
            logits: g.outputRows(g.embed("x", vocabulary: 1, width: 16)), cache: CacheLayout(layers: []))
        let shape = StepShape(
            rows: rows, outputs: rows, splits: 1, tableEntries: 16, givesHeads: true, logitChanges: 256)
        let control = try ControlBlock(context, program, largest: shape)
        control.fill(inputs, shape)
        let bytes = rows * vocabulary * 4
        let host = try Memory(context, .host, byteCount: bytes)
        let floats = unsafe host.base.assumingMemoryBound(to: Float.self)
        // Fractions of multiples of the golden ratio: spread evenly, in no order.
        for index in 0..<rows * vocabulary {
            unsafe floats[index] = Float(UInt32(truncatingIfNeeded: index &* 0x9e37_79b9) >> 8) * 0x1p-20
        }
        let logits = try Memory(context, .device, byteCount: bytes)
        let heads = try RowHeads(context, rows: rows, vocabulary: vocabulary)
        let queue = try CommandQueue(context)
        let fence = try queue.makeFence()

        var seconds: [Double] = []
        for count in [few, many] {
            var recorder = Recorder(try CommandList(context), kernels)
            try control.record(shape, into: &recorder)
            try recorder.copy(to: logits.slice(), from: host.slice(), bytes: bytes)
            for _ in 0..<count {
                try heads.record(shape, control, logits: logits.slice(), stride: vocabulary, into: &recorder)
            }
            let list = try recorder.finish()
            var best = Double.infinity
            for _ in 0..<repeats {
                let start = ContinuousClock.now
                try queue.execute(list, fence)
                try fence.wait()
                try fence.reset()
                best = min(best, (ContinuousClock.now - start).inSeconds)
            }
            seconds.append(best)
        }
        return Double(bytes * (many - few)) / max(seconds[1] - seconds[0], 1e-9)
    }

    private static var inputs: StepInputs {
        var inputs = StepInputs()
        for row in 0..<rows {
            inputs.append([0], position: 0, outputs: 1)
            inputs.blockTables.append(Int32(row))
            var request = HeadRequest()
            request.isWanted = true
            inputs.heads.append(request)
        }
        return inputs
    }
}
