internal import CSoftXPU

/// One command of a list, with everything it needs fixed when it was appended.
final class Command {
    enum Action {
        case launch(Launch)
        case copy([CopyPiece])
        case fill(Span, pattern: [UInt8])
        /// Everything before is complete before anything after begins.
        case barrier
        /// Nothing but its wait and signal events.
        case mark
        case reset(Event)
        case writeTimestamp(Span)
        case queryTimestamps([Event], Span, offsets: [Int])
        /// The end of a submission: not appended by programs.
        case fence(Fence)
    }

    /// A range of memory: in an allocation, or plain memory of the program.
    struct Span {
        let address: UInt
        let size: Int
        let allocation: Allocation?

        var pointer: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(bitPattern: address)! }
    }

    struct CopyPiece {
        let to: Span
        let from: Span
    }

    struct Launch {
        let kernel: Kernel
        let groups: Groups
        let groupSize: [UInt32]
        let offset: [UInt32]
        let arguments: [Kernel.Argument]
        let indirect: Set<MemoryKind>

        enum Groups {
            case count([UInt32])
            /// Read from memory when the command begins.
            case memory(Span)
        }
    }

    /// The call that appended it and what it is about.
    let label: String
    let action: Action
    let waits: [Event]
    let signal: Event?
    /// How often it was executed.
    var executions = 0

    init(label: String, action: Action, waits: [Event] = [], signal: Event? = nil) {
        self.label = label
        self.action = action
        self.waits = waits
        self.signal = signal
    }

    /// The memory that it names.
    var allocations: [Allocation] {
        switch action {
        case .launch(let launch):
            var found = launch.arguments.compactMap { argument -> Allocation? in
                if case .pointer(_, let allocation) = argument { allocation } else { nil }
            }
            if case .memory(let span) = launch.groups, let allocation = span.allocation { found.append(allocation) }
            return found
        case .copy(let pieces): return pieces.flatMap { [$0.to.allocation, $0.from.allocation].compactMap { $0 } }
        case .fill(let span, _), .writeTimestamp(let span), .queryTimestamps(_, let span, _):
            return [span.allocation].compactMap { $0 }
        case .barrier, .mark, .reset, .fence: return []
        }
    }

    /// What it names and is gone, for messages.
    var stale: String? {
        if case .launch(let launch) = action, launch.kernel.isDestroyed {
            return "\(launch.kernel.label), which was destroyed"
        }
        if let event = events.first(where: \.isDestroyed) { return "\(event.label), which was destroyed" }
        if let allocation = allocations.first(where: \.isFreed) { return "\(allocation.label), which was freed" }
        return nil
    }

    /// The events that it uses.
    var events: [Event] {
        var found = waits
        if let signal { found.append(signal) }
        switch action {
        case .reset(let event): found.append(event)
        case .queryTimestamps(let events, _, _): found += events
        default: break
        }
        return found
    }
}

/// What one call gave to a queue.
final class Submission {
    let queue: Queue
    let lists: [CommandList]
    var remaining: Int
    /// When the device starts on its own, in nanoseconds of the monotonic clock.
    let due: UInt64
    /// Injected: nothing of it ever starts.
    let hangs: Bool
    /// Injected: the device fails when so many commands are left.
    let failsAt: Int?

    init(_ queue: Queue, _ lists: [CommandList], count: Int, due: UInt64, hangs: Bool, failsAt: Int?) {
        self.queue = queue
        self.lists = lists
        remaining = count
        self.due = due
        self.hangs = hangs
        self.failsAt = failsAt
    }
}

/// A command that was submitted.
struct Pending {
    let command: Command
    let submission: Submission
    /// Commands of in-order lists and queues wait for everything before them.
    let isOrdered: Bool
}

/// SplitMix64, which orders what nothing else orders.
struct RandomOrder: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
