internal import CCPU
internal import Glibc
internal import Synchronization

/// A fixed set of threads that run the same body side by side, each under its worker number; the caller is worker 0.
///
/// Between bodies workers spin for a moment (a token later there is work again), then park. They end with the pool.
package final class WorkerPool: Sendable {
    package let count: Int
    let barrier: Barrier
    private let crew: Crew
    private let threads: [pthread_t]

    package init(count: Int) {
        self.count = max(1, count)
        barrier = Barrier(parties: self.count)
        crew = Crew(barrier)
        threads = (1..<self.count).map { [crew] worker in Self.start(worker, of: crew) }
    }

    deinit {
        crew.stop()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Runs `body(worker)` on every worker and returns when all are done.
    package func run(_ body: (Int) -> Void) {
        if count == 1 { return body(0) }
        withoutActuallyEscaping(body) { crew.run($0) }
    }

    /// The same for a body that is kept: running it takes no memory.
    func run(stored body: @escaping (Int) -> Void) {
        if count == 1 { body(0) } else { crew.run(body) }
    }

    private static func start(_ worker: Int, of crew: Crew) -> pthread_t {
        let member = unsafe Unmanaged.passRetained(Member(crew, worker))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let member = unsafe Unmanaged<Member>.fromOpaque(argument).takeRetainedValue()
                member.crew.work(as: member.worker)
                return nil
            }, member.toOpaque())
        precondition(status == 0, "cannot start a worker thread: error \(status)")
        return thread
    }

    private final class Member: Sendable {
        let crew: Crew
        let worker: Int

        init(_ crew: Crew, _ worker: Int) {
            self.crew = crew
            self.worker = worker
        }
    }
}

/// What the workers of a pool and their caller share.
private final class Crew: Sendable {
    private let barrier: Barrier
    /// Bodies handed out so far.
    private let epoch = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let parking = Parking()
    private nonisolated(unsafe) var body: (Int) -> Void = { _ in }

    init(_ barrier: Barrier) { self.barrier = barrier }

    func run(_ body: @escaping (Int) -> Void) {
        unsafe self.body = body
        announce()
        body(0)
        barrier.wait()
        unsafe self.body = { _ in }
    }

    func stop() {
        stopping.store(true, ordering: .releasing)
        announce()
    }

    func work(as worker: Int) {
        var seen = 0
        while true {
            waitForWork(after: seen)
            seen += 1
            if stopping.load(ordering: .acquiring) { return }
            unsafe body(worker)
            barrier.wait()
        }
    }

    private func announce() {
        epoch.add(1, ordering: .sequentiallyConsistent)
        if parked.load(ordering: .sequentiallyConsistent) > 0 { parking.wakeAll() }
    }

    private func waitForWork(after seen: Int) {
        for _ in 0..<Spin.turns {
            if epoch.load(ordering: .acquiring) != seen { return }
            cpu_relax()
        }
        parked.add(1, ordering: .sequentiallyConsistent)
        parking.wait { epoch.load(ordering: .sequentiallyConsistent) == seen }
        parked.subtract(1, ordering: .relaxed)
    }
}

/// All parties wait for each other: spinning for the time that an operation takes, then parked, in case there are more threads than
/// processors.
final class Barrier: Sendable {
    private let parties: Int
    private let arrived = Atomic<Int>(0)
    private let generation = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    private let parking = Parking()

    init(parties: Int) { self.parties = parties }

    func wait() {
        if parties == 1 { return }
        let current = generation.load(ordering: .relaxed)
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == parties {
            arrived.store(0, ordering: .relaxed)
            generation.store(current + 1, ordering: .sequentiallyConsistent)
            if parked.load(ordering: .sequentiallyConsistent) > 0 { parking.wakeAll() }
            return
        }
        for _ in 0..<Spin.turns {
            if generation.load(ordering: .acquiring) != current { return }
            cpu_relax()
        }
        parked.add(1, ordering: .sequentiallyConsistent)
        parking.wait { generation.load(ordering: .sequentiallyConsistent) == current }
        parked.subtract(1, ordering: .relaxed)
    }
}

/// Hands out the numbers of tasks, each once.
final class WorkCounter: Sendable {
    private let value = Atomic<Int>(0)

    func reset() { value.store(0, ordering: .relaxed) }
    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}

enum Spin {
    /// Turns of a waiting loop, some hundred microseconds, after which a thread parks.
    static let turns = 4_000
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
