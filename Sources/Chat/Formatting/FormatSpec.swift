/// How one value is laid out: the part of a replacement field behind the colon, or of a `%` conversion.
struct FormatSpec {
    enum Alignment {
        case left, right, center, afterSign
    }

    enum Sign {
        case negativeOnly, always, blank
    }

    var fill: Unicode.Scalar = " "
    var alignment: Alignment?
    var sign = Sign.negativeOnly
    var isAlternate = false
    var padsWithZeros = false
    var width = 0
    /// `,` or `_` between groups of digits.
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    init() {}

    /// Reads `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
    init(_ text: Text) throws(ChatError) {
        let scalars = Array(text.scalars)
        var position = 0
        func alignment(_ index: Int) -> Alignment? {
            guard index < scalars.count else { return nil }
            return switch scalars[index] {
            case "<": .left
            case ">": .right
            case "^": .center
            case "=": .afterSign
            default: nil
            }
        }
        func number() throws(ChatError) -> Int? {
            var digits = ""
            while position < scalars.count, scalars[position].isASCIIDigit {
                digits.unicodeScalars.append(scalars[position])
                position += 1
            }
            guard !digits.isEmpty else { return nil }
            guard let number = Int(digits), number < Int(Int32.max) else {
                throw ChatError(.value, "Too many decimal digits in format string")
            }
            return number
        }
        func take(_ scalar: Unicode.Scalar) -> Bool {
            guard position < scalars.count, scalars[position] == scalar else { return false }
            position += 1
            return true
        }

        if let named = alignment(1) {
            (fill, self.alignment) = (scalars[0], named)
            position = 2
        } else if let named = alignment(0) {
            self.alignment = named
            position = 1
        }
        if take("+") { sign = .always } else if take(" ") { sign = .blank } else if take("-") { sign = .negativeOnly }
        isAlternate = take("#")
        if take("0") {
            padsWithZeros = true
            if self.alignment == nil { (fill, self.alignment) = ("0", .afterSign) }
        }
        width = try number() ?? 0
        if take(",") { grouping = "," } else if take("_") { grouping = "_" }
        if take(".") {
            guard let digits = try number() else { throw ChatError(.value, "Format specifier missing precision") }
            precision = digits
        }
        if position < scalars.count {
            type = scalars[position]
            position += 1
        }
        guard position == scalars.count else { throw ChatError(.value, "Invalid format specifier") }
    }

    // MARK: - Layout

    /// A text, cut to the precision and padded to the width.
    func text(_ text: Text, _ interpreter: Interpreter) throws(ChatError) -> Text {
        let cut = precision.map { text.slice(0..<min($0, text.count)) } ?? text
        return try padded(sign: "", cut, alignment ?? .left, interpreter)
    }

    private func padded(
        sign: String, _ body: Text, _ alignment: Alignment, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        let missing = width - body.count - sign.utf8.count
        guard missing > 0 else { return Text(bytes: Array(sign.utf8) + body.bytes) }
        try interpreter.reserve(4, times: missing)
        func padding(_ count: Int) -> [UInt8] { Text(scalars: repeatElement(fill, count: count)).bytes }
        let signed = Array(sign.utf8) + body.bytes
        let bytes =
            switch alignment {
            case .left: signed + padding(missing)
            case .right: padding(missing) + signed
            case .center: padding(missing / 2) + signed + padding(missing - missing / 2)
            case .afterSign: Array(sign.utf8) + padding(missing) + body.bytes
            }
        return Text(bytes: bytes)
    }

    private func signText(isNegative: Bool) -> String {
        if isNegative { return "-" }
        return switch sign {
        case .negativeOnly: ""
        case .always: "+"
        case .blank: " "
        }
    }

    // MARK: - Numbers

    func integer(
        _ value: Int, radix: Int, prefix: String, isUppercase: Bool = false, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        var digits = String(value.magnitude, radix: radix, uppercase: isUppercase)
        if let precision {
            try interpreter.reserve(precision)
            digits = String(repeating: "0", count: max(0, precision - digits.utf8.count)) + digits
        }
        return try number(
            sign: signText(isNegative: value < 0) + prefix, digits, fraction: "", group: radix == 10 ? 3 : 4,
            interpreter)
    }

    func float(_ value: Double, _ conversion: Character, _ interpreter: Interpreter) throws(ChatError) -> Text {
        try interpreter.reserve(precision ?? 0)
        guard (precision ?? 0) <= 1_000 else { throw ChatError(.value, "precision too big") }
        let isNegative = value.sign == .minus && !value.isNaN
        guard value.isFinite else {
            let name = value.isNaN ? "nan" : "inf"
            let text = conversion.isUppercase ? name.uppercased() : name
            return try number(sign: signText(isNegative: isNegative), text, fraction: "", group: 0, interpreter)
        }
        let text = DecimalText.format(value.magnitude, conversion, precision ?? 6, alternate: isAlternate)
        return try number(isNegative: isNegative, text, interpreter)
    }

    /// A number without a sign, as it is written in plain notation.
    func number(isNegative: Bool, _ text: String, _ interpreter: Interpreter) throws(ChatError) -> Text {
        let whole = text.prefix { $0.isNumber }
        return try number(
            sign: signText(isNegative: isNegative), String(whole), fraction: String(text.dropFirst(whole.count)),
            group: 3,
            interpreter)
    }

    /// Puts separators between groups, and zeros that pad into groups too.
    private func number(
        sign: String, _ whole: String, fraction: String, group: Int, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        let alignment = self.alignment ?? .right
        guard let grouping, group > 0 else {
            return try padded(sign: sign, Text(whole + fraction), alignment, interpreter)
        }
        var digits = whole
        if fill == "0", alignment == .afterSign {
            try interpreter.reserve(width)
            while Self.grouped(digits, grouping, group).utf8.count + sign.utf8.count + fraction.utf8.count < width {
                digits = "0" + digits
            }
        }
        return try padded(sign: sign, Text(Self.grouped(digits, grouping, group) + fraction), alignment, interpreter)
    }

    private static func grouped(_ digits: String, _ separator: Unicode.Scalar, _ size: Int) -> String {
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.utf8.count - index).isMultiple(of: size) { result.unicodeScalars.append(separator) }
            result.append(digit)
        }
        return result
    }
}
