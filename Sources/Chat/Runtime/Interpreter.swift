/// Runs a template once.
final class Interpreter {
    let analysis: ScopeAnalysis
    let limits: Limits
    let now: LocalTime
    /// The variables that the template is given, and the functions that all templates have.
    let variables: [Text: Value]
    /// Top-level assignments: what blocks see.
    var exports: [Text: Value] = [:]
    /// Variables that a scoped block sees, for each such block that is being run.
    var blockLocals: [[Text: Value]] = []

    var output: [UInt8] = []
    /// The text of the block that the current filters apply to.
    var captured: Text = ""
    var escapes = false

    var steps = 0
    var madeBytes = 0
    var depth = 0

    /// What may be part of a circle of references, and is taken apart at the end.
    private var frames: [Frame] = []
    private var namespaces: [Namespace] = []

    init(_ analysis: ScopeAnalysis, variables: [Text: Value], now: LocalTime, limits: Limits) {
        self.analysis = analysis
        self.variables = variables
        self.now = now
        self.limits = limits
    }

    /// The text of the template.
    func run(_ body: [Statement]) throws(ChatError) -> [UInt8] {
        defer { release() }
        let frame = try enter(Parser.rootScope, from: nil)
        _ = try execute(body, frame)
        return output
    }

    // MARK: - Memory

    func register(_ frame: Frame) { frames.append(frame) }
    func register(_ namespace: Namespace) { namespaces.append(namespace) }

    private func release() {
        for frame in frames { frame.slots = [] }
        for namespace in namespaces { namespace.attributes.removeAll() }
        exports = [:]
        blockLocals = []
    }

    // MARK: - Variables

    /// A new frame for a region that has one.
    func enter(_ scope: ScopeID, from outer: Frame?) throws(ChatError) -> Frame {
        let frame = Frame(slotCount: analysis.scopes[scope].slotCount, outer: outer)
        start(scope, frame)
        return frame
    }

    /// Sets the variables of a region to what they begin as.
    func start(_ scope: ScopeID, _ frame: Frame) {
        for (slot, start) in analysis.scopes[scope].starts {
            switch start {
            case .undefined: frame.slots[slot] = nil
            case .copy(let place): frame.slots[slot] = frame[place]
            case .context(let name): frame.slots[slot] = variable(name)
            }
        }
    }

    private func variable(_ name: Text) -> Value? {
        blockLocals.last?[name] ?? exports[name] ?? variables[name]
    }

    func value(_ mention: Mention, _ frame: Frame) -> Value {
        frame[analysis.places[mention.id]] ?? .undefined(.variable(mention.name))
    }

    func assign(_ value: Value, to mention: Mention, _ frame: Frame) {
        frame[analysis.places[mention.id]] = value
        if analysis.exports.contains(mention.id) { exports[mention.name] = value }
    }

    func assign(_ value: Value, to target: Target, _ frame: Frame) throws(ChatError) {
        switch target {
        case .name(let mention): assign(value, to: mention, frame)
        case .attribute(let mention, let name):
            guard case .namespace(let namespace) = self.value(mention, frame) else {
                throw ChatError(.runtime, "cannot assign attribute on non-namespace object")
            }
            namespace.attributes[name] = value
        case .tuple(let targets):
            let items = try unpacked(value, count: targets.count)
            for (target, item) in zip(targets, items) { try assign(item, to: target, frame) }
        }
    }

    private func unpacked(_ value: Value, count: Int) throws(ChatError) -> [Value] {
        guard let source = try Iteration(value) else {
            throw ChatError(.type, "cannot unpack non-iterable \(value.typeName) object")
        }
        var iteration = source
        var items: [Value] = []
        while let item = try iteration.next() {
            guard items.count < count else { throw ChatError(.value, "too many values to unpack (expected \(count))") }
            items.append(item)
        }
        guard items.count == count else {
            throw ChatError(.value, "not enough values to unpack (expected \(count), got \(items.count))")
        }
        return items
    }

    // MARK: - Output

    func write(_ text: Text) throws(ChatError) {
        output += text.bytes
        guard output.count <= limits.textBytes else { throw ChatError(.limit, "the template's output is too long") }
    }

    /// The output of `body`, instead of in the output.
    func capture(_ body: () throws(ChatError) -> Flow) throws(ChatError) -> (text: Text, flow: Flow) {
        let outer = output
        output = []
        defer { output = outer }
        let flow = try body()
        try reserve(output.count)
        return (Text(bytes: output, isMarkup: escapes), flow)
    }
}

/// How a statement ends.
enum Flow {
    case normal, `break`, `continue`
}
