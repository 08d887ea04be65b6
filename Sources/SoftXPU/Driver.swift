internal import CSoftXPU
import Glibc

/// The driver of the process. Level Zero's calls carry nothing but handles, so there has to be one.
let driver = Driver()

/// Everything there is: objects, memory, queues. All of it is guarded by the monitor, which every call holds (`Driver.call`).
final class Driver: @unchecked Sendable {
    let monitor = Monitor()
    let options: Options
    /// When the driver started, in nanoseconds of the monotonic clock.
    let started = Monitor.now
    /// The handle of the one driver.
    let root = Object(.driver, 1)

    let devices: [Device]
    let deviceRegistry: Registry<Device>
    let memoryModules: Registry<MemoryModule>
    var contexts = Registry<Context>(.context)
    var queues = Registry<Queue>(.queue)
    var lists = Registry<CommandList>(.list)
    var fences = Registry<Fence>(.fence)
    var eventPools = Registry<EventPool>(.eventPool)
    var events = Registry<Event>(.event)
    var modules = Registry<Module>(.module)
    var buildLogs = Registry<BuildLog>(.buildLog)
    var kernels = Registry<Kernel>(.kernel)

    var memory = AddressSpace()
    var allocations = 0
    var builds = 0
    var submissions = 0

    // The scheduler's (Scheduler.swift).
    var order: RandomOrder
    var isThreadRunning = false
    var isExecuting = false
    var isEnding = false
    /// Host threads that wait; while there are any, nothing lingers.
    var waiters = 0
    /// The host asked how far things are: what was submitted so far starts.
    var isAsked = false
    /// Since when nothing can be executed although something is waited for.
    var stalledSince: UInt64?
    /// Device memory that is accessible because something runs.
    var unlocked: [Allocation] = []

    private var isInitialized = false
    /// Whether the environment asked for system management when the driver was initialised.
    private(set) var hasSysman = false
    private var loaded: Runtime?

    init() {
        let options = Options.fromEnvironment()
        var registry = Registry<Device>(.device)
        var modules = Registry<MemoryModule>(.memoryModule)
        let visible = Options.affinityMask()
        for (index, profile) in options.profiles.enumerated() where visible?.contains(index) ?? true {
            let memory = options.memory ?? profile.memory
            let device = registry.add { Device($0, profile, index: index, memory: memory) }
            _ = modules.add { MemoryModule($0, device) }
        }
        self.options = options
        order = RandomOrder(seed: options.seed)
        deviceRegistry = registry
        devices = registry.sorted
        memoryModules = modules
    }

    /// Runs one call of the API. Violations and refusals are reported under its name.
    func call(_ name: StaticString, _ body: (Driver) throws(Failure) -> Void) -> ze_result_t {
        monitor.lock()
        defer { monitor.unlock() }
        do throws(Failure) {
            try body(self)
            return ZE_RESULT_SUCCESS
        } catch {
            if error.kind != .answer {
                let text = "\(name): \(error.message) [\(error.result.name)]"
                if error.kind == .violation { Report.violation(text, strict: options.strict) } else { Report.say(text) }
            }
            return error.result
        }
    }

    /// Does something long without the lock.
    func withoutLock<T>(_ body: () -> T) -> T {
        monitor.unlock()
        defer { monitor.lock() }
        return body()
    }

    func initialize() {
        if isInitialized { return }
        isInitialized = true
        hasSysman = Options.variable("ZES_ENABLE_SYSMAN") == "1"
        softxpu_watch_faults()
        softxpu_at_exit { driver.finish() }
    }

    /// The OpenCL runtime, opened when it is first needed.
    func runtime() throws(Failure) -> Runtime {
        if let loaded { return loaded }
        let runtime = try Runtime(path: options.runtime)
        loaded = runtime
        return runtime
    }

    /// At the end of the process: what the program left behind.
    private func finish() {
        monitor.lock()
        defer { monitor.unlock() }
        // What runs may finish; nothing else begins while the process takes itself apart.
        isEnding = true
        let patience = Monitor.now + UInt64(options.stall) * 1_000_000
        while isExecuting && Monitor.now < patience { monitor.wait(until: patience) }
        guard options.leaks != .off else { return }
        var lines: [String] = []
        for queue in queues.sorted {
            if let first = queue.pending.first, !first.submission.hangs {
                lines.append(
                    "\(first.command.label) was submitted and is not complete; synchronize before the process ends")
            }
        }
        func add(_ objects: [Object], _ remedy: String) {
            for object in objects { lines.append("\(object.label) was never destroyed (\(remedy))") }
        }
        add(contexts.sorted, "zeContextDestroy")
        add(queues.sorted.filter { !$0.isImmediate }, "zeCommandQueueDestroy")
        add(lists.sorted, "zeCommandListDestroy")
        add(fences.sorted, "zeFenceDestroy")
        add(eventPools.sorted, "zeEventPoolDestroy")
        add(events.sorted, "zeEventDestroy")
        add(modules.sorted, "zeModuleDestroy")
        add(buildLogs.sorted, "zeModuleBuildLogDestroy")
        add(kernels.sorted, "zeKernelDestroy")
        for allocation in memory.live {
            lines.append("\(allocation.label) was never freed (zeMemFree)")
            if let damage = damageText(allocation) { lines.append(damage) }
        }
        if lines.isEmpty { return }
        let shown = 20
        for line in lines.prefix(shown) { Report.say("at exit: \(line)") }
        if lines.count > shown { Report.say("at exit: and \(lines.count - shown) more") }
        if options.leaks == .fail {
            fflush(nil)
            _exit(97)
        }
    }

    func damageText(_ allocation: Allocation) -> String? {
        allocation.damage().map { at in
            at < 0
                ? "something wrote \(-at) bytes before the start of \(allocation.label)"
                : "something wrote \(at) bytes past the end of \(allocation.label)"
        }
    }
}
