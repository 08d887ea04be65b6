import Glibc
import Synchronization

/// A bar on stderr, redrawn in place. It draws only on a terminal, and leaves nothing behind.
final class ProgressBar: Sendable {
    private struct State {
        var drawn: ContinuousClock.Instant?
        var finished = false
    }

    private let title: String
    private let isShown: Bool
    private let state = Mutex(State())
    private static let interval = Duration.milliseconds(50)
    private static let width = 30

    init(_ title: String, quiet: Bool) {
        self.title = title
        isShown = Diagnostics.isTerminal && !quiet
    }

    /// - Parameter share: Work done, from 0 to 1. May be called on any thread.
    func update(_ share: Double) {
        guard isShown else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            guard !state.finished, state.drawn.map({ now - $0 >= Self.interval }) ?? true else { return }
            state.drawn = now
            let share = share.isFinite ? min(1, max(0, share)) : 0
            let filled = Int(share * Double(Self.width))
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
            Diagnostics.write("\r\(title) [\(bar)] \(String(Int(share * 100)).leftPadded(to: 3))% ")
        }
    }

    /// Clears the line. Later updates draw nothing.
    func finish() {
        state.withLock { state in
            if state.drawn != nil && !state.finished { Diagnostics.write("\r\u{1B}[K") }
            state.finished = true
        }
    }
}
