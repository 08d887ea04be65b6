/// Reads the tokens of a template into its syntax tree, by the grammar of Jinja 3.1 with the tags `break`, `continue`, `do` and
/// `generation`.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    private(set) var mentionCount = 0
    private(set) var scopeCount = 1
    private var depth = 0
    /// An upper bound of the height of the trees read at this depth.
    private var height = 0
    /// The tags that are being read, innermost last.
    var openTags: [Text] = []

    init(source: String) throws(ChatError) {
        tokens = try Lexer.tokens(of: source)
    }

    /// The scope of what is outside of all others.
    static let rootScope: ScopeID = 0

    /// What is nested more deeply is refused, also by way of long chains of operators: all that walks the tree recurses.
    private static let maximumDepth = 120
    private static let maximumHeight = 400

    mutating func parse() throws(ChatError) -> [Statement] {
        try statements(until: [])
    }

    // MARK: - Tokens

    var current: Token { tokens[position] }
    var line: Int { current.line }
    var isAtEnd: Bool { current.kind == .end }

    /// The token behind the current one.
    var following: Token.Kind { tokens[min(position + 1, tokens.count - 1)].kind }

    @discardableResult
    mutating func next() -> Token {
        let token = current
        if !isAtEnd { position += 1 }
        return token
    }

    func at(_ symbol: Token.Symbol) -> Bool { current.kind == .symbol(symbol) }
    func at(_ name: Text) -> Bool { current.kind == .name(name) }

    mutating func skip(_ symbol: Token.Symbol) -> Bool { skip(.symbol(symbol)) }
    mutating func skip(_ name: Text) -> Bool { skip(.name(name)) }
    private mutating func skip(_ kind: Token.Kind) -> Bool {
        guard current.kind == kind else { return false }
        next()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws(ChatError) { try expect(.symbol(symbol)) }
    mutating func expect(_ name: Text) throws(ChatError) { try expect(.name(name)) }
    mutating func expect(_ kind: Token.Kind) throws(ChatError) {
        guard current.kind == kind else { throw unexpected(expecting: kind.description) }
        next()
    }

    mutating func expectName() throws(ChatError) -> Text {
        guard case .name(let name) = current.kind else { throw unexpected(expecting: "name") }
        next()
        return name
    }

    private func unexpected(expecting expected: String) -> ChatError {
        if isAtEnd { return failure("unexpected end of template, expected '\(expected)'.") }
        return failure("expected token '\(expected)', got \(Text(current.kind.description).quoted)")
    }

    func failure(_ message: String, line: Int? = nil) -> ChatError {
        ChatError(.syntax, message, line: line ?? self.line)
    }

    // MARK: - Numbering and depth

    mutating func mention(_ name: Text) -> Mention {
        mentionCount += 1
        return Mention(name: name, id: mentionCount - 1)
    }

    mutating func newScope() -> ScopeID {
        scopeCount += 1
        return scopeCount - 1
    }

    mutating func nested<Result>(
        _ parse: (inout Parser) throws(ChatError) -> Result
    ) throws(ChatError) -> Result {
        let outerHeight = height
        depth += 1
        height = 0
        defer {
            depth -= 1
            height = max(outerHeight, height + 1)
        }
        guard depth <= Self.maximumDepth else { throw failure("the template is nested too deeply") }
        return try parse(&self)
    }

    /// Counts one more node on top of what was read at this depth.
    mutating func grow() throws(ChatError) {
        height += 1
        guard height <= Self.maximumHeight else { throw failure("the template is nested too deeply") }
    }
}
