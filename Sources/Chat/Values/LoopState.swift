/// The `loop` variable: where a `for` is. Its items are asked for one by one, so that a test of the `for` sees what the body did;
/// a look at what follows asks for one more, a look at the length for all.
final class LoopState {
    /// Renders the loop for other items, at a depth.
    typealias Recursion = (Value, Int) throws(ChatError) -> Value

    let extent: Extent
    let depth0: Int
    let recursion: Recursion?
    private(set) var index0 = -1
    private var iteration: Iteration
    private var pending: ArraySlice<Value> = []
    private var knownLength: Int?
    private var current: Value?
    private var previous: Value?
    private var lastChanged: [Value]?

    init(_ iterable: Value, _ iteration: Iteration, depth0: Int, recursion: Recursion?) throws(ChatError) {
        self.extent = try Extent(around: iterable)
        self.depth0 = depth0
        self.recursion = recursion
        self.iteration = iteration
        switch iteration {
        case .items(let items): knownLength = items.count
        case .characters(let text, _): knownLength = text.count
        case .lazy: break
        }
    }

    /// The next item, which becomes the current one.
    func advance() throws(ChatError) -> Value? {
        guard let item = pending.isEmpty ? try iteration.next() : pending.popFirst() else { return nil }
        index0 += 1
        previous = current
        current = item
        return item
    }

    private func peek() throws(ChatError) -> Value? {
        if pending.isEmpty, let item = try iteration.next() { pending.append(item) }
        return pending.first
    }

    func length() throws(ChatError) -> Int {
        if let knownLength { return knownLength }
        while let item = try iteration.next() { pending.append(item) }
        let length = index0 + 1 + pending.count
        knownLength = length
        return length
    }

    func attribute(_ name: Text) throws(ChatError) -> Value? {
        switch name {
        case "index": .int(index0 + 1)
        case "index0": .int(index0)
        case "first": .bool(index0 == 0)
        case "last": .bool(try peek() == nil)
        case "length": .int(try length())
        case "revindex": .int(try length() - index0)
        case "revindex0": .int(try length() - index0 - 1)
        case "previtem": index0 == 0 ? .undefined(.hint("there is no previous item")) : previous ?? .none
        case "nextitem": try peek() ?? .undefined(.hint("there is no next item"))
        case "depth": .int(depth0 + 1)
        case "depth0": .int(depth0)
        case "cycle":
            .function(try Function("cycle") { (_, call) throws(ChatError) in try self.cycle(call.positional) })
        case "changed":
            .function(try Function("changed") { _, call in .bool(self.changed(call.positional)) })
        default: nil
        }
    }

    private func cycle(_ values: [Value]) throws(ChatError) -> Value {
        guard !values.isEmpty else { throw ChatError(.type, "no items for cycling given") }
        return values[index0 % values.count]
    }

    private func changed(_ values: [Value]) -> Bool {
        if let lastChanged, lastChanged.count == values.count,
            zip(lastChanged, values).allSatisfy({ Value.isEqual($0, $1) })
        {
            return false
        }
        lastChanged = values
        return true
    }
}
