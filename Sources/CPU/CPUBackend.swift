internal import CCPU
package import Compute
internal import Glibc

/// The host's processors: SIMD kernels on a fixed pool of worker threads.
package final class CPUBackend: Backend {
    package let device: DeviceInfo
    private let pool: WorkerPool
    private let repack: Bool

    /// - Parameters:
    ///   - threads: Worker threads, the caller of a step included; by default one per available processor.
    ///   - repack: Whether weights are copied into the kernels' layout, or computed as they lie in the file.
    package init(threads: Int? = nil, repack: Bool = true) {
        pool = WorkerPool(count: threads ?? Self.availableProcessors())
        self.repack = repack
        device = DeviceInfo(
            id: "cpu", name: "CPU (\(InstructionSet.best.rawValue))", threads: pool.count,
            memory: Self.physicalMemory(),
            saturatingRows: 64)
    }

    package func supports(_ op: Op) -> Bool { true }

    package func load(
        _ source: any WeightSource, for program: Program, progress: @escaping @Sendable (Double) -> Void
    ) throws(BackendError) -> any LoadedWeights {
        try WeightLoader(source: source, program: program, pool: pool, repack: repack, progress: progress).load()
    }

    package func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits
    ) throws(BackendError) -> any Executable {
        guard let weights = weights as? CPUWeights else { throw .unsupported("weights of another backend") }
        return try CPUExecutable(program, weights, cache, limits, pool)
    }

    /// Processors that this process may run on.
    package static func availableProcessors() -> Int {
        Int(cpu_available_processors())
    }

    private static func physicalMemory() -> Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }
}
