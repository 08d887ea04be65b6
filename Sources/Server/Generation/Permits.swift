internal import Synchronization

/// How many requests are inside at the same time. Nobody waits: who finds none left is turned away.
package final class Permits: Sendable {
    private let free: Mutex<Int>

    package init(_ count: Int) { free = Mutex(count) }

    /// Takes as many permits as asked for, or none.
    package func take(_ count: Int = 1) throws(APIError) -> [Permit] {
        let isTaken = free.withLock { free in
            guard free >= count else { return false }
            free -= count
            return true
        }
        guard isTaken else { throw .overloaded }
        return (0..<count).map { _ in Permit(self) }
    }

    fileprivate func giveBack() { free.withLock { $0 += 1 } }
}

/// The right to be served: until it is given back, or the last reference to it goes.
package final class Permit: Sendable {
    private let owner: Permits
    private let isReturned = Atomic(false)

    fileprivate init(_ owner: Permits) { self.owner = owner }

    package func giveBack() {
        if !isReturned.exchange(true, ordering: .relaxed) { owner.giveBack() }
    }

    deinit { giveBack() }
}
