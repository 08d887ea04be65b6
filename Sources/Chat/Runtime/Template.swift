/// A template, read and checked.
struct Template: Sendable {
    private let source: Text
    private let body: [Statement]
    private let analysis: ScopeAnalysis
    /// The variables that it reads from outside.
    let freeNames: Set<Text>

    /// - Throws: ``ChatError/Kind/syntax``, with the line.
    init(_ source: String) throws(ChatError) {
        self.source = Text(source)
        var parser = try Parser(source: source)
        body = try parser.parse()
        analysis = try ScopeAnalysis(body, mentionCount: parser.mentionCount, scopeCount: parser.scopeCount)
        freeNames = analysis.scopes.reduce(into: []) { names, scope in
            for case (_, .context(let name)) in scope.starts { names.insert(name) }
        }
    }

    /// Whether a word occurs in the source.
    func mentions(_ word: Text) -> Bool { source.find(word) != nil }

    func render(
        _ variables: [(name: Text, value: Value)], now: LocalTime, limits: Limits = Limits()
    ) throws(ChatError) -> String {
        var all = try Globals.values()
        for (name, value) in variables { all[name] = value }
        let interpreter = Interpreter(analysis, variables: all, now: now, limits: limits)
        return String(decoding: try interpreter.run(body), as: UTF8.self)
    }
}
