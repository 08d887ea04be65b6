/// What a template may use.
struct Limits: Sendable {
    /// Nodes of the template that are run, and units of work in filters and methods.
    var steps = 8_000_000
    /// Runs of nodes inside each other.
    var depth = 1_500
    /// Bytes of all text that is made.
    var bytes = 1 << 28
    /// Bytes of one text, and of the output.
    var textBytes = 1 << 24
}

extension Interpreter {
    /// Counts steps.
    func spend(_ count: Int) throws(ChatError) {
        steps += count
        guard steps <= limits.steps else { throw ChatError(.limit, "the template runs for too long") }
    }

    /// Counts the bytes of a text before it is made.
    func reserve(_ bytes: Int) throws(ChatError) {
        guard bytes <= limits.textBytes else { throw ChatError(.limit, "the template makes a text that is too long") }
        madeBytes += bytes
        guard madeBytes <= limits.bytes else { throw ChatError(.limit, "the template makes too much text") }
    }

    /// As ``reserve(_:)``, for `count` times `bytes`.
    func reserve(_ bytes: Int, times count: Int) throws(ChatError) {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: max(0, count))
        try reserve(overflow ? Int.max >> 1 : product)
    }

    /// Counts the result of a function of the library, and gives it back.
    func counted(_ value: Value) throws(ChatError) -> Value {
        switch value {
        case .string(let text): try reserve(text.bytes.count)
        case .list(let list), .tuple(let list): try spend(list.items.count >> 2)
        default: break
        }
        return value
    }

    /// Counts the work of going through a text.
    func countReading(_ value: Value) throws(ChatError) {
        if case .string(let text) = value { try spend(text.bytes.count >> 6) }
    }

    /// Counts the work of comparing two values.
    func countComparing(_ a: Value, _ b: Value) throws(ChatError) {
        try spend(min(a.extent.weight, b.extent.weight) >> 6)
    }
}
