/// Events for the launches of a list, and the operation that each belongs to.
final class LaunchTimer {
    private static let poolSize = 256

    private let context: Context
    private var pool: EventPool?
    private var launches: [(operation: Int?, event: Event)] = []

    init(_ context: Context) { self.context = context }

    /// The event that the next launch has to signal.
    func event(of operation: Int?) throws(XPUError) -> Event {
        let place = launches.count % Self.poolSize
        if place == 0 { pool = try EventPool(context, count: Self.poolSize) }
        guard let pool else { preconditionFailure("a pool for the first event") }
        let event = try pool.makeEvent(place)
        launches.append((operation, event))
        return event
    }

    /// Adds the seconds of the list's last execution to those of its operations, and makes it ready for the next.
    /// - Parameter index: Where the seconds of an operation are.
    func take(into seconds: inout [Double], _ index: [Int]) throws(XPUError) {
        for (operation, event) in launches {
            if let operation { seconds[index[operation]] += try event.seconds() }
            try event.reset()
        }
    }
}
