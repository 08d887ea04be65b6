/// `[start:stop:step]`
struct Slice {
    private let start: Int?
    private let stop: Int?
    private let step: Int

    init(start: Value?, stop: Value?, step: Value?) throws(ChatError) {
        self.start = try Self.bound(start)
        self.stop = try Self.bound(stop)
        self.step = try Self.bound(step) ?? 1
    }

    private static func bound(_ value: Value?) throws(ChatError) -> Int? {
        switch value {
        case nil, .some(.none): return nil
        case .undefined(let undefined): throw undefined.error
        case .some(let value):
            guard case .int(let bound) = Number(value) else {
                throw ChatError(.type, "slice indices must be integers or None or have an __index__ method")
            }
            return bound
        }
    }

    func apply(to value: Value) throws(ChatError) -> Value {
        switch value {
        case .string(let text): return .string(try apply(to: text))
        case .list(let list): return try .list(try indices(list.items.count).map { list.items[$0] })
        case .tuple(let list): return try .tuple(try indices(list.items.count).map { list.items[$0] })
        case .range(let range):
            let indices = try indices(range.count)
            return .range(
                try RangeValue(
                    start: try range.bound(indices.first), stop: try range.bound(indices.end),
                    step: try Arithmetic.checked(indices.step.multipliedReportingOverflow(by: range.step))))
        case .undefined(let undefined): throw undefined.error
        case .dict: throw ChatError(.type, "unhashable type: 'slice'")
        default: throw ChatError(.type, "'\(value.typeName)' object is not subscriptable")
        }
    }

    private func apply(to text: Text) throws(ChatError) -> Text {
        if step == 1 {
            let indices = try indices(text.count)
            return text.slice(indices.first..<indices.first + indices.count)
        }
        let scalars = Array(text.scalars)
        return Text(scalars: try indices(scalars.count).map { scalars[$0] }, isMarkup: text.isMarkup)
    }

    /// The indices of a slice of a sequence.
    private struct Indices: Sequence, IteratorProtocol {
        let first: Int
        /// Where the slice ends, as a bound within the sequence.
        let end: Int
        let step: Int
        let count: Int
        private var position = 0

        init(first: Int, end: Int, step: Int) {
            (self.first, self.end, self.step) = (first, end, step)
            let span = step > 0 ? end - first : first - end
            count = span > 0 ? (span - 1) / Int(clamping: step.magnitude) + 1 : 0
        }

        mutating func next() -> Int? {
            guard position < count else { return nil }
            defer { position += 1 }
            return first + position * step
        }
    }

    private func indices(_ count: Int) throws(ChatError) -> Indices {
        guard step != 0 else { throw ChatError(.value, "slice step cannot be zero") }
        let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
        func clamped(_ bound: Int) -> Int {
            let position = bound < 0 ? max(bound, -count - 1) + count : bound
            return min(max(position, lowest), highest)
        }
        let first = start.map(clamped) ?? (step > 0 ? 0 : count - 1)
        let end = stop.map(clamped) ?? (step > 0 ? count : -1)
        return Indices(first: first, end: end, step: step)
    }
}
