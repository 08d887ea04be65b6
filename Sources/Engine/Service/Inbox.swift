internal import Glibc

/// Messages for one thread, which sleeps while there are none.
@safe
final class Inbox<Message: Sendable>: Sendable {
    private nonisolated(unsafe) let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private nonisolated(unsafe) let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private nonisolated(unsafe) var messages: [Message] = []
    private nonisolated(unsafe) var isClosed = false

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

    /// Leaves a message; `false` where nobody will read it any more.
    func post(_ message: Message) -> Bool {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        guard unsafe !isClosed else { return false }
        unsafe messages.append(message)
        unsafe pthread_cond_signal(condition)
        return true
    }

    /// Moves all messages to `list`, which must be empty.
    ///
    /// - Parameter waiting: Whether to sleep until there is one.
    func take(into list: inout [Message], waiting: Bool) {
        unsafe pthread_mutex_lock(mutex)
        while waiting, unsafe messages.isEmpty { unsafe pthread_cond_wait(condition, mutex) }
        unsafe swap(&list, &messages)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Refuses messages from now on.
    ///
    /// - Returns: Those that have not been taken.
    func close() -> [Message] {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        unsafe isClosed = true
        defer { unsafe messages = [] }
        return unsafe messages
    }
}
