/// When a failed device is tried again. Trying one that hangs takes minutes and leaves its abandoned context behind, so the pause after an
/// attempt grows with its own length and doubles with each attempt in a row.
struct RecoveryPace {
    private var failures = 0
    private var pause = Duration.zero
    private var next: ContinuousClock.Instant?

    /// Pauses of devices that fail at once.
    static let shortest = Duration.seconds(1)
    static let longest = Duration.seconds(60)
    /// The longest pause of those that do not, in lengths of an attempt.
    static let mostAttempts = 8

    /// Whether an attempt may be made.
    func isDue(at now: ContinuousClock.Instant) -> Bool { next.map { now >= $0 } ?? true }

    /// Time until the next attempt.
    func remaining(at now: ContinuousClock.Instant) -> Duration { next.map { max(.zero, $0 - now) } ?? .zero }

    mutating func failed(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) {
        let length = end - start
        let first = max(length, Self.shortest)
        pause = failures == 0 ? first : max(pause * 2, first)
        pause = min(pause, max(Self.longest, length * Self.mostAttempts))
        failures += 1
        next = end + pause
    }

    mutating func succeeded() { self = RecoveryPace() }
}
