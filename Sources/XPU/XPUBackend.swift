package import Compute
internal import Synchronization

/// An Intel GPU through Level Zero.
package final class XPUBackend: Backend {
    package let device: DeviceInfo
    private let levelZero: LevelZero
    private let physical: PhysicalDevice
    private let current: Mutex<Opened>
    private let heads: HeadUse

    /// The device with its compiled kernels: replaced as a whole when it was lost.
    private struct Opened {
        let context: Context
        let library: KernelLibrary

        init(_ device: PhysicalDevice, _ levelZero: LevelZero) throws(XPUError) {
            context = try Context(device, levelZero)
            library = try KernelLibrary(context, .standard())
        }
    }

    /// - Parameter index: Among the devices that Level Zero shows.
    package init(index: Int = 0, heads: HeadUse = .fromEnvironment) throws(XPUError) {
        self.heads = heads
        levelZero = try LevelZero.shared()
        guard levelZero.devices.indices.contains(index) else {
            throw .noDevice(index: index, count: levelZero.devices.count)
        }
        physical = levelZero.devices[index]
        current = Mutex(try Opened(physical, levelZero))
        device = DeviceInfo(
            id: "xpu:\(index)", name: physical.name, threads: physical.units * physical.threadsPerUnit,
            memory: levelZero.freeMemory(of: physical) ?? physical.memory, ownsMemory: !physical.isIntegrated)
    }

    /// Bytes of the device's memory that were allocated for what this backend made.
    package var allocatedBytes: Int { current.withLock { $0.context.allocated.load(ordering: .relaxed) } }

    /// Bytes that the device reads per second at most, measured now.
    package func readBandwidth() throws(XPUError) -> Double {
        let opened = try opened()
        return try ReadBandwidth.measure(opened.context, opened.library)
    }

    /// Operations that the device does per second at most, measured now.
    package func arithmeticRates() throws(XPUError) -> ArithmeticRates {
        let opened = try opened()
        return try ArithmeticRates(opened.context, opened.library)
    }

    /// Bytes of rows of logits per second of which the device takes heads, measured now.
    func headBandwidth() throws -> Double {
        let opened = try opened()
        return try HeadSpeed.measure(opened.context, opened.library)
    }

    /// Kernels of the modules in use that nothing has asked for so far, as "module.kernel".
    func unusedKernels() throws(XPUError) -> [String] { try opened().library.unusedKernels() }

    package func supports(_ op: Op) -> Bool { true }

    /// What keeps a program from running here, before anything is loaded: shapes, formats, memory.
    /// - Parameter extra: Bytes for the cache and the activations.
    package func check(
        _ source: any WeightSource, _ program: Program, extra: Int
    ) throws(BackendError) {
        try Lowering.checkSupport(program)
        let needed = try layoutBytes(source, for: program) + extra
        guard needed <= device.memory else { throw .doesNotFit(needed: needed, available: device.memory) }
    }

    package func weightBytes(_ source: any WeightSource, for program: Program) throws(BackendError) -> Int? {
        try layoutBytes(source, for: program)
    }

    private func layoutBytes(_ source: any WeightSource, for program: Program) throws(BackendError) -> Int {
        let opened: Opened
        do { opened = try self.opened() } catch { throw .device("\(error)") }
        return try XPUWeightLoader(
            source: source, program: program, context: opened.context, library: opened.library, progress: { _ in }
        ).byteCount()
    }

    /// The short self-test's first failure, `nil` where all pass. A device that has passed with these kernels and this driver is not
    /// tested again.
    package func quickTestFailure() -> String? {
        let cache = NativeCache.standard()
        let key: String
        do { key = try opened().library.identity } catch { return "\(error)" }
        guard !cache.hasPassed(key) else { return nil }
        let failure = SelfTest(self).quickFailure()
        if failure == nil { cache.notePassed(key) }
        return failure
    }

    /// Loads to a new context where the device was lost with the last one.
    package func load(
        _ source: any WeightSource, for program: Program, progress: @escaping @Sendable (Double) -> Void
    ) throws(BackendError) -> any LoadedWeights {
        let opened: Opened
        do { opened = try self.opened() } catch { throw .lost("\(error)") }
        return try XPUWeightLoader(
            source: source, program: program, context: opened.context, library: opened.library, progress: progress
        ).load()
    }

    package func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits
    ) throws(BackendError) -> any Executable {
        try compile(program, weights: weights, cache: cache, limits: limits, heads: heads)
    }

    func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits, heads: HeadUse
    ) throws(BackendError) -> any Executable {
        guard let weights = weights as? XPUWeights else { throw .unsupported("weights of another backend") }
        return try XPUExecutable(program, weights, cache, limits, heads: heads)
    }

    /// The device in use, opened anew where it was lost.
    private func opened() throws(XPUError) -> Opened {
        try current.withLock { (opened) throws(XPUError) in
            if opened.context.isLost { opened = try Opened(physical, levelZero) }
            return opened
        }
    }
}
