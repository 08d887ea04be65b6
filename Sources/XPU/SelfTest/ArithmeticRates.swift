internal import Quant

/// How many operations a device does per second at most, by kernels of independent instructions: the ceilings of what is bound by
/// arithmetic. A multiplication and an addition are two.
package struct ArithmeticRates: Sendable {
    /// 8-bit products: the matrix engine's where there is one, else packed dot products.
    package let integers: Double
    /// Packed dot products of 8-bit integers, which products with few rows take on every device.
    package let dots: Double
    /// Half precision products of the matrix engine; `nil` without one.
    package let halves: Double?
    package let floats: Double

    init(_ context: Context, _ library: KernelLibrary) throws(XPUError) {
        let meter = try RateMeter(context, library)
        // Items of a group, times chains, times operations of a step of each.
        let group = Double(RateMeter.groupItems * 16)
        floats = try meter.measure(
            .measure("rate_fma"), size: RateMeter.groupItems, operations: group * 2, [.float(0.5), .float(1)])
        dots = try meter.measure(
            .measure("rate_dot4"), size: RateMeter.groupItems, operations: group * 8, [.int(0x0102_0304)])
        guard let lanes = context.device.matrixLanes else {
            integers = dots
            halves = nil
            return
        }
        // Sub-groups, times steps of eight rows, 16 columns and a depth of 32 or 16.
        let tiles = Double(RateMeter.subgroups * 4 * 8 * 16)
        let size = RateMeter.subgroups * lanes
        integers = try meter.measure(
            .matrix("rate_i8", lanes: lanes), size: size, operations: tiles * 32 * 2, [.int(0x0102_0304)])
        halves = try meter.measure(
            .matrix("rate_f16", lanes: lanes), size: size, operations: tiles * 16 * 2, [.int(0x2e66_2e66)])
    }

    /// Of the arithmetic of products with weights of a format in prompts.
    func ceiling(_ format: Format) -> Double? {
        guard let layout = WeightLayout(format) else { return nil }
        if layout.activationColumns != nil { return integers }
        return layout.usesEngine(rows: 8, columns: 16) ? halves ?? floats : floats
    }
}

/// Runs a kernel on the whole device, for long enough to be measured.
private struct RateMeter {
    static let groupItems = 128
    static let subgroups = 8
    private static let longEnough = 2e-3
    private static let mostSteps = 1 << 14
    private static let repeats = 3

    private let context: Context
    private let kernels: KernelSet
    private let result: ResultMemory
    private let groups: Int

    private final class ResultMemory {
        let memory: Memory
        init(_ context: Context) throws(XPUError) { memory = try Memory(context, .device, byteCount: 64) }
    }

    init(_ context: Context, _ library: KernelLibrary) throws(XPUError) {
        self.context = context
        kernels = KernelSet(library)
        result = try ResultMemory(context)
        groups = max(64, context.device.units * context.device.threadsPerUnit / Self.subgroups)
    }

    /// Operations per second. The kernel takes the number of steps, `arguments`, and memory for a result.
    /// - Parameter operations: Of a group in a step.
    func measure(
        _ kernel: KernelName, size: Int, operations: Double, _ arguments: [Argument]
    ) throws(XPUError) -> Double {
        let queue = try CommandQueue(context)
        let fence = try queue.makeFence()
        var steps = 4
        while true {
            var recorder = Recorder(try CommandList(context), kernels)
            try recorder.launch(
                kernel, groups: (groups, 1, 1), size: size,
                [.int(steps)] + arguments + [.write(result.memory.slice())])
            let list = try recorder.finish()
            var best = Double.infinity
            for _ in 0..<Self.repeats {
                let start = ContinuousClock.now
                try queue.execute(list, fence)
                try fence.wait()
                try fence.reset()
                best = min(best, (ContinuousClock.now - start).inSeconds)
            }
            if best > Self.longEnough || steps >= Self.mostSteps {
                return operations * Double(groups * steps) / best
            }
            steps *= 8
        }
    }
}
