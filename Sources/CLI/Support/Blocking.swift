import Glibc
import Synchronization

/// A bridge from the command line, which has one thread, to work that is asynchronous.
enum Blocking {
    /// Runs `work` to its end on other threads while this one waits.
    static func run(_ work: @escaping @Sendable () async throws -> Void) throws {
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        let done = Semaphore()
        Task.detached {
            let result: Result<Void, any Error>
            do { result = .success(try await work()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        try outcome.withLock { $0 }?.get()
    }
}

/// A POSIX semaphore.
@safe private final class Semaphore: @unchecked Sendable {
    // The kernel's object must not move, so it has memory of its own.
    private let storage: UnsafeMutablePointer<sem_t>

    init() {
        unsafe storage = .allocate(capacity: 1)
        unsafe sem_init(storage, 0, 0)
    }

    deinit {
        unsafe sem_destroy(storage)
        unsafe storage.deallocate()
    }

    func signal() { unsafe sem_post(storage) }

    func wait() {
        while unsafe sem_wait(storage) != 0 && errno == EINTR {}
    }
}
