/// What a template may use.
struct Limits: Sendable {
    /// Nodes of the template that are run, and units of work in filters and methods.
    var steps = 50_000_000
    /// Runs of nodes inside each other.
    var depth = 1_500
    /// Bytes of all text that is made.
    var bytes = 1 << 30
    /// Bytes of one text, and of the output.
    var textBytes = 1 << 25
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
        let weight = value.extent.weight
        try spend(1 + weight >> 8)
        if case .string = value { try reserve(weight) }
        return value
    }

    /// Counts what a function of the library may have to read.
    func countReading(_ value: Value) throws(ChatError) {
        try spend(1 + value.extent.weight >> 8)
    }
}
