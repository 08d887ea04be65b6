import Glibc
import Synchronization

/// Ctrl-C and termination. A thread waits for the signals, so that no code runs inside a signal handler.
///
/// While ``cooperatively(_:)`` runs, the first signal only sets a flag which the work looks at between two tokens; a second one, or a
/// signal at any other time, ends the process at once. ``delegating(_:_:)`` leaves the first signal to the work.
enum Interruption {
    private enum Phase: UInt8, AtomicRepresentable {
        case immediate, cooperative, requested, delegated
    }

    private static let phase = Atomic(Phase.immediate)
    private static let delegate = Mutex<(@Sendable () -> Void)?>(nil)
    private static let cleanup = Mutex<(@Sendable () -> Void)?>(nil)

    /// Whether the user asked to stop.
    static var isRequested: Bool { phase.load(ordering: .relaxed) == .requested }

    /// Starts watching. Call it before any other thread starts: threads inherit the blocked signals.
    static func watch() {
        var signals = watched
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        unsafe pthread_create(&thread, nil, { _ in Interruption.wait() }, nil)
        pthread_detach(thread)
    }

    /// Runs work that looks at ``isRequested`` between its steps and ends early by itself.
    static func cooperatively<R>(_ work: () throws -> R) rethrows -> R {
        _ = phase.compareExchange(expected: .immediate, desired: .cooperative, ordering: .relaxed)
        defer { _ = phase.compareExchange(expected: .cooperative, desired: .immediate, ordering: .relaxed) }
        return try work()
    }

    /// Runs work that knows how to end by itself: the first signal calls `end`, on the thread that waits for signals.
    static func delegating<R>(_ end: @escaping @Sendable () -> Void, _ work: () throws -> R) rethrows -> R {
        delegate.withLock { $0 = end }
        phase.store(.delegated, ordering: .releasing)
        defer { phase.store(.immediate, ordering: .releasing) }
        return try work()
    }

    /// Runs work that leaves something half done on the disk; `undo` removes it when a signal ends the process.
    static func undoing<R>(_ undo: @escaping @Sendable () -> Void, _ work: () throws -> R) rethrows -> R {
        cleanup.withLock { $0 = undo }
        defer { cleanup.withLock { $0 = nil } }
        return try work()
    }

    private static func wait() -> Never {
        var signals = watched
        while true {
            var signal: Int32 = 0
            guard unsafe sigwait(&signals, &signal) == 0 else { continue }
            if signal == SIGINT,
                phase.compareExchange(expected: .cooperative, desired: .requested, ordering: .relaxed).exchanged
            {
                continue
            }
            if phase.compareExchange(expected: .delegated, desired: .immediate, ordering: .acquiringAndReleasing)
                .exchanged
            {
                delegate.withLock { $0 }?()
                continue
            }
            cleanup.withLock { $0?() }
            if Diagnostics.isTerminal { Diagnostics.write("\r\u{1B}[K") }
            _exit(128 + signal)
        }
    }

    private static var watched: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        // A program started with `nohup` outlives its terminal.
        if !isIgnored(SIGHUP) { unsafe sigaddset(&signals, SIGHUP) }
        return signals
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        unsafe sigaction(signal, nil, &action)
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
