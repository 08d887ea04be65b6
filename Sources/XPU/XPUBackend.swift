package import Compute

/// An Intel GPU through Level Zero.
package final class XPUBackend: Backend {
    package let device: DeviceInfo
    private let context: Context
    private let library: KernelLibrary

    /// - Parameter index: Among the devices that Level Zero shows.
    package init(index: Int = 0) throws(XPUError) {
        let levelZero = try LevelZero.shared()
        guard levelZero.devices.indices.contains(index) else {
            throw .noDevice(index: index, count: levelZero.devices.count)
        }
        let physical = levelZero.devices[index]
        context = try Context(physical, levelZero)
        library = try KernelLibrary(context, .standard())
        device = DeviceInfo(
            id: "xpu:\(index)", name: physical.name, threads: physical.units * physical.threadsPerUnit,
            memory: physical.memory, ownsMemory: !physical.isIntegrated)
    }

    /// Bytes that the device reads per second at most, measured now.
    package func readBandwidth() throws(XPUError) -> Double { try ReadBandwidth.measure(context, library) }

    package func supports(_ op: Op) -> Bool { true }

    package func load(
        _ source: any WeightSource, for program: Program, progress: @escaping @Sendable (Double) -> Void
    ) throws(BackendError) -> any LoadedWeights {
        try XPUWeightLoader(
            source: source, program: program, context: context, library: library, progress: progress
        ).load()
    }

    package func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits
    ) throws(BackendError) -> any Executable {
        guard let weights = weights as? XPUWeights else { throw .unsupported("weights of another backend") }
        return try XPUExecutable(context, library, program, weights, cache, limits)
    }
}
