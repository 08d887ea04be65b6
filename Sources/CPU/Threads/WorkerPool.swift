internal import CCPU
internal import Glibc
internal import Synchronization

/// A fixed set of threads that run the same body side by side, each under its worker number; the caller is worker 0.
///
/// Between bodies workers spin for about a millisecond (a token later there is work again), then park.
@safe
package final class WorkerPool: Sendable {
    package let count: Int
    let barrier: Barrier

    private let epoch = Atomic<Int>(0)
    private let running = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let parking = Parking()
    private nonisolated(unsafe) var body: (Int) -> Void = { _ in }
    private nonisolated(unsafe) var threads: [pthread_t] = []

    private static let spins = 8_000

    package init(count: Int) {
        self.count = max(1, count)
        barrier = Barrier(parties: self.count)
        for worker in 1..<self.count {
            let start = unsafe Unmanaged.passRetained(Start(self, worker))
            var thread = pthread_t()
            let status = unsafe pthread_create(&thread, nil, { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                let (shared, worker) = (start.shared, start.worker)
                shared.loop(worker)
                return nil
            }, start.toOpaque())
            precondition(status == 0, "cannot start a worker thread: error \(status)")
            unsafe threads.append(thread)
        }
    }

    /// Ends the workers. The pool must be idle; it cannot run again.
    package func shutdown() {
        guard !stopping.exchange(true, ordering: .acquiringAndReleasing) else { return }
        epoch.add(1, ordering: .releasing)
        parking.wakeAll()
        for thread in unsafe threads { pthread_join(thread, nil) }
    }

    /// Runs `body(worker)` on every worker and returns when all are done.
    package func run(_ body: (Int) -> Void) {
        if count == 1 { return body(0) }
        withoutActuallyEscaping(body) { body in
            unsafe self.body = body
            running.store(count - 1, ordering: .relaxed)
            epoch.add(1, ordering: .sequentiallyConsistent)
            if parked.load(ordering: .sequentiallyConsistent) > 0 { parking.wakeAll() }
            body(0)
            var spins = 0
            while running.load(ordering: .acquiring) > 0 { Spin.pause(&spins) }
            unsafe self.body = { _ in }
        }
    }

    private func loop(_ worker: Int) {
        var seen = 0
        while true {
            waitForWork(after: seen)
            seen += 1
            if stopping.load(ordering: .acquiring) { return }
            unsafe body(worker)
            running.subtract(1, ordering: .releasing)
        }
    }

    private func waitForWork(after seen: Int) {
        for _ in 0..<Self.spins {
            if epoch.load(ordering: .acquiring) != seen { return }
            cpu_relax()
        }
        parked.add(1, ordering: .sequentiallyConsistent)
        parking.wait { epoch.load(ordering: .sequentiallyConsistent) == seen }
        parked.subtract(1, ordering: .relaxed)
    }

    private final class Start: Sendable {
        let shared: WorkerPool
        let worker: Int

        init(_ shared: WorkerPool, _ worker: Int) {
            self.shared = shared
            self.worker = worker
        }
    }
}

/// All parties wait for each other.
final class Barrier: Sendable {
    private let parties: Int
    private let arrived = Atomic<Int>(0)
    private let generation = Atomic<Int>(0)

    init(parties: Int) { self.parties = parties }

    func wait() {
        if parties == 1 { return }
        let current = generation.load(ordering: .relaxed)
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == parties {
            arrived.store(0, ordering: .relaxed)
            generation.store(current + 1, ordering: .releasing)
            return
        }
        var spins = 0
        while generation.load(ordering: .acquiring) == current { Spin.pause(&spins) }
    }
}

/// Hands out the numbers of tasks, each once.
final class WorkCounter: Sendable {
    private let value = Atomic<Int>(0)

    func reset() { value.store(0, ordering: .relaxed) }
    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}

enum Spin {
    /// One turn of a waiting loop; gives up the processor now and then, in case the awaited thread needs it.
    @inline(__always)
    static func pause(_ spins: inout Int) {
        spins += 1
        if spins.isMultiple(of: 4096) { sched_yield() } else { cpu_relax() }
    }
}

/// A condition variable.
@safe
private final class Parking: Sendable {
    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private nonisolated(unsafe) let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Sleeps while `isIdle` holds; it is evaluated under the lock that ``wakeAll()`` takes.
    func wait(while isIdle: () -> Bool) {
        unsafe pthread_mutex_lock(mutex)
        while isIdle() { unsafe pthread_cond_wait(condition, mutex) }
        unsafe pthread_mutex_unlock(mutex)
    }

    func wakeAll() {
        unsafe pthread_mutex_lock(mutex)
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }
}
