/// How fast a device reads its memory: the ceiling of everything that is bound by weights.
struct ReadBandwidth {
    private static let largest = 256 << 20
    private static let repeats = 5

    /// Bytes per second, the best of some passes over memory that no cache holds and no compression shrinks.
    static func measure(_ context: Context, _ library: KernelLibrary) throws(XPUError) -> Double {
        let bytes = min(largest, context.device.memory / 8) / 4096 * 4096
        let memory = try Memory(context, .device, byteCount: bytes)
        let result = try Memory(context, .device, byteCount: 64)
        let kernels = KernelSet(library)
        let queue = try CommandQueue(context)
        let fence = try queue.makeFence()
        let groups = max(64, context.device.units * context.device.threadsPerUnit / 8)

        var filling = Recorder(try CommandList(context), kernels)
        try filling.launch(
            .measure("fill_words"), groups: (groups, 1, 1), size: 128, [.write(memory.slice()), .long(bytes / 4)])
        try run(try filling.finish(), queue, fence)

        var reading = Recorder(try CommandList(context), kernels)
        try reading.launch(
            .measure("read_words"), groups: (groups, 1, 1), size: 128,
            [.read(memory.slice()), .long(bytes / 4), .write(result.slice())])
        let list = try reading.finish()
        var best = Duration.seconds(3600)
        for _ in 0..<repeats {
            let start = ContinuousClock.now
            try run(list, queue, fence)
            best = min(best, ContinuousClock.now - start)
        }
        return Double(bytes) / best.inSeconds
    }

    private static func run(
        _ list: borrowing CommandList, _ queue: borrowing CommandQueue, _ fence: borrowing Fence
    ) throws(XPUError) {
        try queue.execute(list, fence)
        try fence.wait()
        try fence.reset()
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
