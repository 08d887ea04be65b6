/// When what happened to a generation.
package struct GenerationTiming: Sendable {
    /// The request's handler began.
    package let started: ContinuousClock.Instant
    /// The request was valid and went to the engine.
    package var queued: ContinuousClock.Instant
    /// Its first rows ran.
    package var admitted: ContinuousClock.Instant?
    package var finished: ContinuousClock.Instant?
    package var generatedTokens = 0

    package init(started: ContinuousClock.Instant, queued: ContinuousClock.Instant) {
        self.started = started
        self.queued = queued
    }

    private var end: ContinuousClock.Instant { finished ?? .now }

    package var total: Duration { end - started }
    package var validation: Duration { queued - started }
    package var queue: Duration { (admitted ?? end) - queued }
    package var inference: Duration { end - (admitted ?? end) }
    package var perToken: Duration { inference / max(1, generatedTokens) }
}

extension Duration {
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    package var inMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }

    /// The duration as Rust's `Debug` writes it, which TGI's logs show: in the largest of s, ms, µs and ns in which it is at least 1.
    package var debugText: String {
        let nanoseconds = components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
        for (unit, size) in [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000)] as [(String, Int64)]
        where nanoseconds >= size {
            let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: size)
            guard rest > 0 else { return "\(whole)\(unit)" }
            var digits = String(String(size + rest).dropFirst())
            while digits.hasSuffix("0") { digits.removeLast() }
            return "\(whole).\(digits)\(unit)"
        }
        return "\(nanoseconds)ns"
    }
}
