/// `format.format(…)`
struct FormatString {
    private let call: CallArguments
    private let interpreter: Interpreter
    private let escapes: Bool
    private var automatic = 0
    private var numbering: Numbering?

    private enum Numbering { case automatic, manual }

    static func format(_ format: Text, _ call: CallArguments, _ interpreter: Interpreter) throws(ChatError) -> Text {
        var formatter = FormatString(call: call, interpreter: interpreter, escapes: format.isMarkup)
        return Text(bytes: try formatter.format(Array(format.scalars)[...], depth: 2), isMarkup: format.isMarkup)
    }

    private init(call: CallArguments, interpreter: Interpreter, escapes: Bool) {
        self.call = call
        self.interpreter = interpreter
        self.escapes = escapes
    }

    /// - Parameter depth: How deeply replacement fields may still be inside each other.
    private mutating func format(_ format: ArraySlice<Unicode.Scalar>, depth: Int) throws(ChatError) -> [UInt8] {
        guard depth >= 0 else { throw ChatError(.value, "Max string recursion exceeded") }
        var result: [UInt8] = []
        var rest = format
        while let scalar = rest.popFirst() {
            switch scalar {
            case "{":
                if rest.first == "{" {
                    rest.removeFirst()
                    result.append(scalar)
                } else {
                    result += try field(&rest, depth: depth)
                    try interpreter.reserve(result.count)
                }
            case "}":
                guard rest.popFirst() == "}" else {
                    throw ChatError(.value, "Single '}' encountered in format string")
                }
                result.append(scalar)
            default: result.append(scalar)
            }
        }
        return result
    }

    /// What a replacement field, behind its `{`, stands for.
    private mutating func field(_ rest: inout ArraySlice<Unicode.Scalar>, depth: Int) throws(ChatError) -> [UInt8] {
        var nesting = 1
        var body: [Unicode.Scalar] = []
        var isInBrackets = false
        var isInSpec = false
        while true {
            guard let scalar = rest.popFirst() else {
                throw ChatError(
                    .value,
                    body.isEmpty ? "Single '{' encountered in format string" : "expected '}' before end of string")
            }
            if scalar == "[" && !isInSpec { isInBrackets = true }
            if scalar == "]" { isInBrackets = false }
            if scalar == ":" && !isInBrackets { isInSpec = true }
            if scalar == "{" { nesting += 1 }
            if scalar == "}" { nesting -= 1 }
            if nesting == 0 { break }
            body.append(scalar)
        }
        let (name, conversion, spec) = try Self.parts(body)
        var value = try self.value(name)
        if let conversion { value = try Self.converted(value, conversion) }
        let specText = Text(bytes: try format(spec, depth: depth - 1))
        let text = try Self.formatted(value, specText, interpreter)
        guard escapes else { return text.bytes }
        if case .string(let original) = value, original.isMarkup { return text.bytes }
        return text.marked(false).escaped.bytes
    }

    /// The name, the conversion behind `!` and the specification behind `:`.
    private static func parts(
        _ body: [Unicode.Scalar]
    ) throws(ChatError) -> ([Unicode.Scalar], Unicode.Scalar?, ArraySlice<Unicode.Scalar>) {
        var isInBrackets = false
        for (index, scalar) in body.enumerated() {
            if scalar == "[" { isInBrackets = true }
            if scalar == "]" { isInBrackets = false }
            guard !isInBrackets, scalar == "!" || scalar == ":" else { continue }
            let name = Array(body[..<index])
            if scalar == ":" { return (name, nil, body[(index + 1)...]) }
            guard index + 1 < body.count else {
                throw ChatError(.value, "end of string while looking for conversion specifier")
            }
            let rest = body[(index + 2)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw ChatError(.value, "expected ':' after conversion specifier")
            }
            return (name, body[index + 1], rest.dropFirst())
        }
        return (body, nil, [])
    }

    private static func converted(_ value: Value, _ conversion: Unicode.Scalar) throws(ChatError) -> Value {
        switch conversion {
        case "s": return .string(value.text)
        case "r": return .string(value.representation)
        case "a": return .string(Text(value.representation).escapingNonASCII)
        default: throw ChatError(.value, "Unknown conversion specifier \(conversion)")
        }
    }

    // MARK: - Values

    /// The value that `name.attribute[item]…` stands for.
    private mutating func value(_ name: [Unicode.Scalar]) throws(ChatError) -> Value {
        let first = name.prefix { $0 != "." && $0 != "[" }
        var value = try argument(Text(scalars: first))
        var rest = name[first.count...]
        while let scalar = rest.popFirst() {
            if scalar == "." {
                let attribute = rest.prefix { $0 != "." && $0 != "[" }
                guard !attribute.isEmpty else { throw ChatError(.value, "Empty attribute in format string") }
                rest = rest.dropFirst(attribute.count)
                value = try interpreter.attribute(Text(scalars: attribute), of: value)
            } else if scalar == "[" {
                let key = Text(scalars: rest.prefix { $0 != "]" })
                rest = rest.dropFirst(key.count)
                guard rest.popFirst() == "]" else { throw ChatError(.value, "Missing ']' in format string") }
                guard !key.isEmpty else { throw ChatError(.value, "Empty attribute in format string") }
                let index = key.isAll { $0.isASCIIDigit } ? Int(key.string) : nil
                value = try interpreter.item(index.map { .int($0) } ?? .string(key), of: value)
            } else {
                throw ChatError(.value, "Only '.' or '[' may follow ']' in format field specifier")
            }
        }
        return value
    }

    private mutating func argument(_ name: Text) throws(ChatError) -> Value {
        if name.isEmpty {
            try use(.automatic)
            automatic += 1
            return try positional(automatic - 1)
        }
        if name.isAll({ $0.isASCIIDigit }) {
            try use(.manual)
            guard let index = Int(name.string) else {
                throw ChatError(.value, "Too many decimal digits in format string")
            }
            return try positional(index)
        }
        guard let (_, value) = call.keyword.first(where: { $0.name == name }) else {
            throw ChatError(.key, name.quoted)
        }
        return value
    }

    private mutating func use(_ kind: Numbering) throws(ChatError) {
        if let numbering, numbering != kind {
            let (from, to) =
                kind == .manual
                ? ("automatic field numbering", "manual field specification")
                : ("manual field specification", "automatic field numbering")
            throw ChatError(.value, "cannot switch from \(from) to \(to)")
        }
        numbering = kind
    }

    private func positional(_ index: Int) throws(ChatError) -> Value {
        guard index < call.positional.count else {
            throw ChatError(.index, "Replacement index \(index) out of range for positional args tuple")
        }
        return call.positional[index]
    }

    // MARK: - Formatting

    /// `format(value, spec)`
    private static func formatted(_ value: Value, _ text: Text, _ interpreter: Interpreter) throws(ChatError) -> Text {
        if text.isEmpty { return value.text }
        let spec = try FormatSpec(text)
        switch value {
        case .string(let text): return try formatted(text, spec, interpreter)
        case .bool, .int, .float:
            if let number = Number(value) { return try formatted(number, value, spec, interpreter) }
            return value.text
        default:
            throw ChatError(.type, "unsupported format string passed to \(value.typeName).__format__")
        }
    }

    private static func formatted(_ text: Text, _ spec: FormatSpec, _ interpreter: Interpreter) throws(ChatError)
        -> Text
    {
        guard spec.type == nil || spec.type == "s" else { throw unknown(spec.type, "str") }
        guard spec.sign == .negativeOnly else { throw ChatError(.value, "Sign not allowed in string format specifier") }
        guard !spec.isAlternate else {
            throw ChatError(.value, "Alternate form (#) not allowed in string format specifier")
        }
        guard spec.grouping == nil else { throw ChatError(.value, "Cannot specify ',' with 's'.") }
        var spec = spec
        if spec.alignment == .afterSign {
            guard spec.padsWithZeros else {
                throw ChatError(.value, "'=' alignment not allowed in string format specifier")
            }
            spec.alignment = .left
        }
        return try spec.text(text, interpreter)
    }

    private static func formatted(
        _ number: Number, _ value: Value, _ spec: FormatSpec, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        switch (number, spec.type) {
        case (.int(let integer), nil), (.int(let integer), "d"), (.int(let integer), "n"):
            guard spec.precision == nil else {
                throw ChatError(.value, "Precision not allowed in integer format specifier")
            }
            return try spec.integer(integer, radix: 10, prefix: "", interpreter)
        case (.int(let integer), "b"), (.int(let integer), "o"), (.int(let integer), "x"), (.int(let integer), "X"):
            let type = spec.type ?? "x"
            let radix = type == "b" ? 2 : type == "o" ? 8 : 16
            return try spec.integer(
                integer, radix: radix, prefix: spec.isAlternate ? "0\(type)" : "", isUppercase: type == "X", interpreter
            )
        case (.int(let integer), "c"):
            guard let scalar = UInt32(exactly: integer).flatMap({ Unicode.Scalar($0) }) else {
                throw ChatError(.overflow, "%c arg not in range(0x110000)")
            }
            return try spec.text(Text(scalar), interpreter)
        case (.float(let double), nil): return try general(double, spec, interpreter)
        case (_, "e"), (_, "E"), (_, "f"), (_, "F"), (_, "g"), (_, "G"):
            return try spec.float(number.double, Character(spec.type ?? "g"), interpreter)
        case (_, "%"):
            var percent = spec
            percent.width = max(0, spec.width - 1)
            let text = try percent.float(number.double * 100, "f", interpreter)
            return Text(bytes: text.bytes + [UInt8(ascii: "%")])
        default: throw unknown(spec.type, value.typeName)
        }
    }

    /// A float without a type: as `repr` writes it, or as `g` with at least one digit behind the point.
    private static func general(_ value: Double, _ spec: FormatSpec, _ interpreter: Interpreter) throws(ChatError)
        -> Text
    {
        guard value.isFinite else { return try spec.float(value, "f", interpreter) }
        let isNegative = value.sign == .minus
        guard let precision = spec.precision else {
            return try spec.number(isNegative: isNegative, value.magnitude.pythonDescription, interpreter)
        }
        try interpreter.reserve(precision)
        guard precision <= 1_000 else { throw ChatError(.value, "precision too big") }
        var text = DecimalText.format(value.magnitude, "g", precision, alternate: spec.isAlternate)
        if !text.contains(where: { $0 == "." || $0 == "e" }) {
            text = text.utf8.count >= max(1, precision) ? DecimalText.exponent(value.magnitude, precision) : text + ".0"
        }
        return try spec.number(isNegative: isNegative, text, interpreter)
    }

    private static func unknown(_ type: Unicode.Scalar?, _ name: String) -> ChatError {
        ChatError(.value, "Unknown format code '\(type.map(String.init) ?? "")' for object of type '\(name)'")
    }
}

extension DecimalText {
    /// In scientific notation with `digits` digits, without zeros at the end.
    fileprivate static func exponent(_ value: Double, _ digits: Int) -> String {
        let text = format(value, "e", max(0, digits - 1), alternate: false)
        let parts = text.split(separator: "e")
        guard parts.count == 2, parts[0].contains(".") else { return text }
        var mantissa = parts[0]
        while mantissa.last == "0" { mantissa.removeLast() }
        if mantissa.last == "." { mantissa.removeLast() }
        return "\(mantissa)e\(parts[1])"
    }
}
