import Glibc
import Synchronization

/// Runs `work` for every index below `count` on up to `threads` threads and returns when all are done. `work` must be safe to run
/// for different indices at once.
func parallelFor(_ count: Int, threads: Int, _ work: @escaping @Sendable (Int) -> Void) {
    let next = Counter()
    let drain: @Sendable () -> Void = {
        while case let index = next.take(), index < count { work(index) }
    }
    let helpers = (1..<max(1, min(threads, count))).compactMap { _ in Helper(drain) }
    drain()
    for helper in helpers { helper.join() }
}

private final class Counter: Sendable {
    private let value = Atomic(0)
    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}

private struct Helper {
    private let thread: pthread_t

    /// `nil` where the system has no thread left: the others do its share.
    init?(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            return nil
        }
        self.thread = thread
    }

    func join() { pthread_join(thread, nil) }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
