package import Engine
internal import Synchronization

/// Asks an engine whether it works, and lets it try to recover when it does not: once at a time, however many ask.
package final class HealthCheck: Sendable {
    private let engine: any TextGeneration
    private let probe = Mutex<Task<Bool, Never>?>(nil)

    package init(_ engine: any TextGeneration) { self.engine = engine }

    package func check() async -> Bool {
        if engine.isHealthy { return true }
        let task = probe.withLock { probe in
            if let probe { return probe }
            let task = Task { [engine] in await engine.probe() }
            probe = task
            return task
        }
        let isHealthy = await task.value
        probe.withLock { if $0 == task { $0 = nil } }
        return isHealthy
    }
}
