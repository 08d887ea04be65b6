import Glibc
import Synchronization

/// Something that all tests of a process share. It goes before the process ends, as a program's own things do: a device that lists what
/// was left behind then lists what is really forgotten.
package final class UntilExit<Value: Sendable>: Sendable {
    private let held: Mutex<Value?>

    /// `nil` also while the process ends.
    package var value: Value? { held.withLock { $0 } }

    /// - Parameter make: `nil`: there is none.
    package init(_ make: () -> Value?) {
        // Before its end is arranged for, so that it goes before what it uses takes itself apart.
        held = Mutex(make())
        EndOfProcess.run { [self] in
            // Let go of outside of the lock.
            let last = held.withLock { held in
                defer { held = nil }
                return held
            }
            withExtendedLifetime(last) {}
        }
    }
}

private enum EndOfProcess {
    private static let actions = Mutex<[@Sendable () -> Void]>([])

    static func run(_ action: @escaping @Sendable () -> Void) {
        let isFirst = actions.withLock { actions in
            actions.append(action)
            return actions.count == 1
        }
        if isFirst { atexit { for action in EndOfProcess.actions.withLock({ $0 }) { action() } } }
    }
}
