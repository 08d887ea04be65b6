/// `format % values`
struct PercentFormat {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var result: [UInt8] = []
    private let values: Value
    /// Values that are used in turn, and how many were.
    private let sequence: [Value]
    private var used = 0
    private var usedMapping = false
    private let escapes: Bool
    private let interpreter: Interpreter

    static func format(_ format: Text, _ values: Value, _ interpreter: Interpreter) throws(ChatError) -> Text {
        var formatter = PercentFormat(format, values, interpreter)
        try formatter.run()
        return Text(bytes: formatter.result, isMarkup: format.isMarkup)
    }

    private init(_ format: Text, _ values: Value, _ interpreter: Interpreter) {
        scalars = Array(format.scalars)
        self.values = values
        if case .tuple(let list) = values { sequence = list.items } else { sequence = [values] }
        escapes = format.isMarkup
        self.interpreter = interpreter
    }

    private mutating func run() throws(ChatError) {
        while position < scalars.count {
            let scalar = scalars[position]
            position += 1
            if scalar == "%" { try conversion() } else { result.append(scalar) }
        }
        // Whatever has items by key counts as one that may have more than the format takes.
        let isMapping =
            switch values {
            case .dict, .list, .range, .undefined: true
            default: false
            }
        guard used >= sequence.count || usedMapping || isMapping else {
            throw ChatError(.type, "not all arguments converted during string formatting")
        }
    }

    private mutating func next() throws(ChatError) -> Unicode.Scalar {
        guard position < scalars.count else { throw ChatError(.value, "incomplete format") }
        position += 1
        return scalars[position - 1]
    }

    private mutating func nextValue() throws(ChatError) -> Value {
        guard used < sequence.count, !usedMapping || used > 0 else {
            throw ChatError(.type, "not enough arguments for format string")
        }
        used += 1
        return sequence[used - 1]
    }

    private mutating func conversion() throws(ChatError) {
        var mapped: Value?
        if position < scalars.count, scalars[position] == "(" { mapped = try mappedValue() }
        var spec = FormatSpec()
        while position < scalars.count, "-+ #0".unicodeScalars.contains(scalars[position]) {
            switch try next() {
            case "-": spec.alignment = .left
            case "+": spec.sign = .always
            case " ": if spec.sign != .always { spec.sign = .blank }
            case "#": spec.isAlternate = true
            default: spec.padsWithZeros = true
            }
        }
        if let width = try count() {
            spec.width = Int(clamping: width.magnitude)
            if width < 0 { spec.alignment = .left }
        }
        if position < scalars.count, scalars[position] == "." {
            position += 1
            spec.precision = max(0, try count() ?? 0)
        }
        while position < scalars.count, "hlL".unicodeScalars.contains(scalars[position]) { position += 1 }
        let type = try next()
        if type == "%" { return result.append(UInt8(ascii: "%")) }
        guard "srascdiuoxXeEfFgG".unicodeScalars.contains(type) else {
            throw ChatError(
                .value, "unsupported format character \(Text(type).quoted) at index \(position - 1)")
        }
        if spec.alignment == .left { spec.padsWithZeros = false }
        if spec.alignment == nil { spec.alignment = spec.padsWithZeros ? .afterSign : .right }
        if spec.padsWithZeros { spec.fill = "0" }
        if case nil = mapped { mapped = try nextValue() }
        if let mapped { result += try formatted(mapped, type, spec).bytes }
    }

    private mutating func mappedValue() throws(ChatError) -> Value {
        guard case .dict(let dict) = values else { throw ChatError(.type, "format requires a mapping") }
        position += 1
        var depth = 1
        var key: [Unicode.Scalar] = []
        while true {
            guard position < scalars.count else { throw ChatError(.value, "incomplete format key") }
            let scalar = scalars[position]
            position += 1
            if scalar == "(" { depth += 1 }
            if scalar == ")" { depth -= 1 }
            if depth == 0 { break }
            key.append(scalar)
        }
        usedMapping = true
        let name = Text(scalars: key)
        guard let value = dict[name] else { throw ChatError(.key, name.quoted) }
        return value
    }

    /// A number in the format, or a `*` for one among the values.
    private mutating func count() throws(ChatError) -> Int? {
        if position < scalars.count, scalars[position] == "*" {
            position += 1
            guard case .int(let value) = Number(try nextValue()) else { throw ChatError(.type, "* wants int") }
            return value
        }
        var digits = ""
        while position < scalars.count, scalars[position].isASCIIDigit {
            digits.unicodeScalars.append(scalars[position])
            position += 1
        }
        guard !digits.isEmpty else { return nil }
        guard let count = Int(digits), count < Int(Int32.max) else { throw ChatError(.value, "width too big") }
        return count
    }

    private func formatted(_ value: Value, _ type: Unicode.Scalar, _ spec: FormatSpec) throws(ChatError) -> Text {
        var spec = spec
        switch type {
        case "s", "r", "a":
            let text: Text
            switch type {
            case "s": text = escapes ? value.escaped : value.text
            case "r": text = escapes ? Text(value.representation).escaped : Text(value.representation)
            default: text = Text(value.representation).escapingNonASCII
            }
            if spec.alignment == .afterSign { (spec.alignment, spec.fill) = (.right, " ") }
            return try spec.text(text, interpreter)
        case "c":
            if spec.alignment == .afterSign { (spec.alignment, spec.fill) = (.right, " ") }
            spec.precision = nil
            return try spec.text(try character(value), interpreter)
        case "d", "i", "u":
            guard let number = Number(value) else {
                throw ChatError(
                    .type, "%\(type) format: a real number is required, not \(value.typeName)")
            }
            return try spec.integer(try truncated(number), radix: 10, prefix: "", interpreter)
        case "o", "x", "X":
            guard case .int(let number) = Number(value) else {
                throw ChatError(.type, "%\(type) format: an integer is required, not \(value.typeName)")
            }
            let prefix = spec.isAlternate ? "0\(type)" : ""
            return try spec.integer(
                number, radix: type == "o" ? 8 : 16, prefix: prefix, isUppercase: type == "X", interpreter)
        default:
            guard let number = Number(value) else {
                throw ChatError(.type, "must be real number, not \(value.typeName)")
            }
            return try spec.float(number.double, Character(type), interpreter)
        }
    }

    private func truncated(_ number: Number) throws(ChatError) -> Int {
        switch number {
        case .int(let value): return value
        case .float(let value):
            guard let whole = Int(exactly: value.rounded(.towardZero)) else {
                throw ChatError(.overflow, "cannot convert float to integer")
            }
            return whole
        }
    }

    private func character(_ value: Value) throws(ChatError) -> Text {
        if case .string(let text) = value, text.count == 1 { return text }
        guard case .int(let code) = Number(value) else { throw ChatError(.type, "%c requires int or char") }
        guard let scalar = UInt32(exactly: code).flatMap({ Unicode.Scalar($0) }) else {
            throw ChatError(.overflow, "%c arg not in range(0x110000)")
        }
        return Text(scalar)
    }
}

extension Text {
    /// `ascii(…)` of what is already a representation.
    var escapingNonASCII: Text {
        var result: [UInt8] = []
        for scalar in scalars {
            if scalar.isASCII {
                result.append(scalar)
            } else if scalar.value < 0x100 {
                result.append("\\x" + scalar.value.hex(2))
            } else if scalar.value < 0x10000 {
                result.append("\\u" + scalar.value.hex(4))
            } else {
                result.append("\\U" + scalar.value.hex(8))
            }
        }
        return Text(bytes: result)
    }
}
