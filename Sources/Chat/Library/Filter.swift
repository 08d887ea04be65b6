/// A filter: `value | name(…)`.
struct Filter: Sendable {
    typealias Body = @Sendable (Interpreter, Value, Bound) throws(ChatError) -> Value

    let name: Text
    let signature: Signature
    let apply: Body

    init(_ name: Text, _ signature: Signature = .none, _ apply: @escaping Body) {
        self.name = name
        self.signature = signature
        self.apply = apply
    }

    static let all: [Filter] = texts + textLayouts + numbers + sequences + selections + conversions

    static let named: [Text: Filter] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
