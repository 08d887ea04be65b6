// The syntax tree of a template.

/// One mention of a variable. `id` numbers the mentions of a template: ``ScopeAnalysis`` says where each is stored.
struct Mention: Sendable {
    let name: Text
    let id: Int
}

/// Numbers the regions of a template that have variables of their own.
typealias ScopeID = Int

indirect enum Expression: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(Text)
    case name(Mention)
    case list([Expression])
    case tuple([Expression])
    case dict([(key: Expression, value: Expression)])
    case unary(UnaryOperator, Expression)
    case binary(BinaryOperator, Expression, Expression)
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    /// `a < b < c`
    case compare(Expression, [(relation: Comparison, operand: Expression)])
    /// `a ~ b ~ c`
    case concat([Expression])
    /// `then if test else otherwise`
    case conditional(test: Expression, then: Expression, otherwise: Expression?, line: Int)
    case attribute(Expression, Text)
    case item(Expression, Expression)
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, Arguments)
    /// The text of the enclosing block is filtered where there is no operand.
    case filter(Expression?, FilterCall)
    case test(Expression, TestCall)
}

enum UnaryOperator: Sendable { case plus, minus }

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "** or pow()"
}

enum Comparison: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case `in` = "in"
    case notIn = "not in"
}

struct Arguments: Sendable {
    var positional: [Expression] = []
    var keyword: [(name: Text, value: Expression)] = []
    /// `*rest`
    var rest: Expression?
    /// `**rest`
    var keywordRest: Expression?
}

struct FilterCall: Sendable {
    let name: Text
    /// `nil` where there is no filter of that name, which is an error once it is called.
    let filter: Filter?
    let arguments: Arguments
    let line: Int
}

struct TestCall: Sendable {
    let name: Text
    let test: Test?
    let arguments: Arguments
    let line: Int
}

/// What a `set`, `for` or `with` assigns to.
indirect enum Target: Sendable {
    case name(Mention)
    /// An attribute of a namespace.
    case attribute(Mention, Text)
    case tuple([Target])
}

indirect enum Statement: Sendable {
    case data(Text)
    case output(Expression, line: Int)
    case `for`(ForLoop)
    case `if`([Branch], otherwise: [Statement])
    case set(Target, Expression, line: Int)
    case setBlock(SetBlock)
    case macro(MacroDefinition)
    /// `call`, or `generation` when there is no call: then the body is its output.
    case call(body: MacroDefinition, Expression?)
    case filterBlock(Expression, [Statement], ScopeID, line: Int)
    case with([(target: Target, value: Expression)], [Statement], ScopeID, line: Int)
    case autoescape(Expression, [Statement], ScopeID, line: Int)
    case block(Block)
    /// `do`
    case expression(Expression, line: Int)
    case `break`(line: Int)
    case `continue`(line: Int)
    /// `extends`, `include` and `import`: there are no other templates to load.
    case loadingTemplate(line: Int)
}

struct Branch: Sendable {
    let test: Expression
    let body: [Statement]
    let line: Int
}

struct ForLoop: Sendable {
    let target: Target
    let sequence: Expression
    /// `for target in sequence if test`: evaluated item by item, with a target of its own.
    let filter: (target: Target, test: Expression)?
    let isRecursive: Bool
    let body: [Statement]
    let otherwise: [Statement]
    let line: Int
    let bodyScope: ScopeID
    let filterScope: ScopeID
    let otherwiseScope: ScopeID
    /// The `loop` variable of the body.
    let loop: Mention
}

struct SetBlock: Sendable {
    let target: Target
    /// A chain of filters without an operand.
    let filter: Expression?
    let body: [Statement]
    let scope: ScopeID
    let line: Int
}

struct MacroDefinition: Sendable {
    struct Parameter: Sendable {
        let mention: Mention
        let defaultValue: Expression?
    }

    /// `nil` for the body of a `call`.
    let name: Mention?
    let parameters: [Parameter]
    let body: [Statement]
    let scope: ScopeID
    let line: Int
    /// The variables that a body which mentions them gets: `caller`, `kwargs`, `varargs`.
    let caller: Mention
    let keywordRest: Mention
    let rest: Mention
}

struct Block: Sendable {
    let name: Text
    let isScoped: Bool
    let isRequired: Bool
    let body: [Statement]
    let scope: ScopeID
    let line: Int
}
