internal import Synchronization

/// Whether the client of one request has hung up, and what happens then.
package final class Disconnection: Sendable {
    private struct State {
        var hasHappened = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var hasHappened: Bool { state.withLock { $0.hasHappened } }

    /// Calls `action` once if the client hangs up, at once if it has done so.
    /// - Returns: Whether this is the first action.
    @discardableResult
    package func add(_ action: @escaping @Sendable () -> Void) -> Bool {
        let (isFirst, isLate) = state.withLock { state in
            defer { if !state.hasHappened { state.actions.append(action) } }
            return (state.actions.isEmpty, state.hasHappened)
        }
        if isLate { action() }
        return isFirst
    }

    package func happen() {
        let actions = state.withLock { state in
            state.hasHappened = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }
}
