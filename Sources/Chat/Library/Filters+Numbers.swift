import Glibc

// Filters on numbers, and conversions to them.

extension Filter {
    static let numbers: [Filter] = [
        Filter("abs") { (_, value, _) throws(ChatError) in
            switch Number(value) {
            case .int(let number):
                return .int(number < 0 ? try Arithmetic.checked((0).subtractingReportingOverflow(number)) : number)
            case .float(let number): return .float(number.magnitude)
            case nil: throw ChatError(.type, "bad operand type for abs(): '\(value.typeName)'")
            }
        },
        Filter("int", .parameters("default", "base")) { (_, value, arguments) throws(ChatError) in
            let base = try arguments.int(1, default: 10)
            return try NumberText.int(value, base: base) ?? arguments[0] ?? .int(0)
        },
        Filter("float", .parameters("default")) { (_, value, arguments) throws(ChatError) in
            try NumberText.float(value) ?? arguments[0] ?? .float(0)
        },
        Filter("round", .parameters("precision", "method")) { (_, value, arguments) throws(ChatError) in
            let precision = try arguments.int(0, default: 0)
            let method = arguments[1]?.text ?? "common"
            guard let number = Number(value) else {
                if case .undefined(let undefined) = value { throw undefined.error }
                throw ChatError(.type, "type \(value.typeName) doesn't define __round__ method")
            }
            switch method {
            case "common": return try rounded(number, precision)
            case "ceil": return try scaled(number, precision) { $0.rounded(.up) }
            case "floor": return try scaled(number, precision) { $0.rounded(.down) }
            default: throw ChatError(.filterArgument, "method must be common, ceil or floor")
            }
        },
        Filter("filesizeformat", .parameters("binary")) { (_, value, arguments) throws(ChatError) in
            guard case .float(let bytes) = try NumberText.float(value) else {
                throw ChatError(.value, "could not convert to float: \(value.representation)")
            }
            return .string(fileSize(bytes, isBinary: arguments.truth(0)))
        },
    ]

    /// Python's `round`: to the nearest, halves to even, by the exact decimal value.
    private static func rounded(_ number: Number, _ precision: Int) throws(ChatError) -> Value {
        switch number {
        case .int(let value):
            guard precision < 0 else { return .int(value) }
            guard precision > -19 else { return .int(0) }
            let unit = (0..<(-precision)).reduce(1) { unit, _ in unit * 10 }
            let remainder = ((value % unit) + unit) % unit
            let floor = try Arithmetic.checked(value.subtractingReportingOverflow(remainder))
            let isUp = remainder * 2 > unit || remainder * 2 == unit && !(floor / unit).isMultiple(of: 2)
            return .int(isUp ? try Arithmetic.checked(floor.addingReportingOverflow(unit)) : floor)
        case .float(let value):
            guard value.isFinite, precision <= 330 else { return .float(value) }
            if precision < 0 {
                guard precision >= -310 else { return .float(0) }
                let unit = pow(10, Double(-precision))
                return .float((value / unit).rounded(.toNearestOrEven) * unit)
            }
            return .float(Double(DecimalText.fixed(value, precision)) ?? value)
        }
    }

    private static func scaled(
        _ number: Number, _ precision: Int, _ round: (Double) -> Double
    ) throws(ChatError) -> Value {
        let unit = pow(10, Double(precision))
        guard unit.isFinite, unit != 0 else { throw ChatError(.overflow, "precision is out of range") }
        return .float(round(number.double * unit) / unit)
    }

    private static func fileSize(_ bytes: Double, isBinary: Bool) -> String {
        let base: Double = isBinary ? 1024 : 1000
        if bytes == 1 { return "1 Byte" }
        if bytes < base { return "\(DecimalText.fixed(bytes.rounded(.towardZero), 0)) Bytes" }
        let prefixes = ["K", "M", "G", "T", "P", "E", "Z", "Y"]
        var unit = base
        for (index, prefix) in prefixes.enumerated() {
            unit *= base
            if bytes < unit || index == prefixes.count - 1 {
                let name = isBinary ? prefix + "iB" : (prefix == "K" ? "k" : prefix) + "B"
                return "\(DecimalText.fixed(base * bytes / unit, 1)) \(name)"
            }
        }
        return ""
    }
}

/// Python's `int(…)` and `float(…)`.
enum NumberText {
    /// `nil` where the value is no number.
    static func int(_ value: Value, base: Int) throws(ChatError) -> Value? {
        switch value {
        case .undefined(let undefined): throw undefined.error
        case .string(let text):
            if let number = try integer(text, base: base) { return .int(number) }
            guard let number = float(text), number.isFinite else { return nil }
            return .int(try truncated(number))
        case .float(let number):
            guard number.isFinite else {
                // Python's `int(inf)` is the one error that the filter does not catch.
                if number.isNaN { return nil }
                throw ChatError(.overflow, "cannot convert float infinity to integer")
            }
            return .int(try truncated(number))
        case .bigInt: return value
        default:
            guard case .int(let number) = Number(value) else { return nil }
            return .int(number)
        }
    }

    private static func truncated(_ number: Double) throws(ChatError) -> Int {
        guard let value = Int(exactly: number.rounded(.towardZero)) else {
            throw ChatError(.overflow, "integers of more than 64 bits are not supported")
        }
        return value
    }

    static func float(_ value: Value) throws(ChatError) -> Value? {
        switch value {
        case .undefined(let undefined): throw undefined.error
        case .string(let text), .bigInt(let text): float(text).map { .float($0) }
        default: Number(value).map { .float($0.double) }
        }
    }

    /// `int(text, base)`
    private static func integer(_ text: Text, base: Int) throws(ChatError) -> Int? {
        var digits = text.stripped().withASCIIDigits.bytes[...]
        var isNegative = false
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        guard base == 0 || (2...36).contains(base) else { return nil }
        var radix = base == 0 ? 10 : base
        var followsPrefix = false
        if digits.count > 2, digits.first == UInt8(ascii: "0") {
            let prefixes: [UInt8: Int] = [UInt8(ascii: "b"): 2, UInt8(ascii: "o"): 8, UInt8(ascii: "x"): 16]
            if let named = prefixes[digits[digits.startIndex + 1] | 0x20], base == 0 || base == named {
                radix = named
                digits = digits.dropFirst(2)
                followsPrefix = true
            }
        }
        guard let plain = withoutUnderscores(digits, allowsLeading: followsPrefix), !plain.isEmpty,
            plain.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
        else { return nil }
        if base == 0, !followsPrefix, plain.first == UInt8(ascii: "0"),
            plain.contains(where: { $0 != UInt8(ascii: "0") })
        {
            return nil
        }
        let string = (isNegative ? "-" : "") + String(decoding: plain, as: UTF8.self)
        if let value = Int(string, radix: radix) { return value }
        let isNumber = plain.allSatisfy { Character(Unicode.Scalar($0)).isASCIIDigit(radix) }
        guard !isNumber else { throw ChatError(.overflow, "integers of more than 64 bits are not supported") }
        return nil
    }

    /// Digits without the single `_` between them, or `nil` where one is misplaced.
    private static func withoutUnderscores(_ digits: ArraySlice<UInt8>, allowsLeading: Bool) -> [UInt8]? {
        let underscore = UInt8(ascii: "_")
        guard digits.contains(underscore) else { return Array(digits) }
        var previous = allowsLeading ? UInt8(ascii: "0") : underscore
        for byte in digits {
            if byte == underscore, previous == underscore { return nil }
            previous = byte
        }
        return previous == underscore ? nil : digits.filter { $0 != underscore }
    }

    /// `float(text)`
    static func float(_ text: Text) -> Double? {
        let trimmed = text.stripped().lowercased().withASCIIDigits.bytes
        let unsigned =
            trimmed.first == UInt8(ascii: "-") || trimmed.first == UInt8(ascii: "+")
            ? trimmed.dropFirst() : trimmed[...]
        switch String(decoding: unsigned, as: UTF8.self) {
        case "inf", "infinity": return trimmed.first == UInt8(ascii: "-") ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        let allowed = Set("0123456789.eE+-_".utf8)
        guard unsigned.allSatisfy({ allowed.contains($0) }), let first = unsigned.first,
            first != UInt8(ascii: "-"), first != UInt8(ascii: "+")
        else { return nil }
        let parts = unsigned.split(whereSeparator: {
            !Character(Unicode.Scalar($0)).isASCIIDigit(10) && $0 != UInt8(ascii: "_")
        })
        guard parts.allSatisfy({ withoutUnderscores($0, allowsLeading: false) != nil }), !parts.isEmpty else {
            return nil
        }
        var plain = String(decoding: trimmed.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        if plain.hasSuffix(".") { plain += "0" }
        return Double(plain.replacingDotBeforeExponent)
    }
}

extension Text {
    /// Decimal digits of other scripts as ASCII.
    fileprivate var withASCIIDigits: Text {
        if isASCII { return self }
        return Text(
            scalars: scalars.map { scalar in
                guard scalar.isDecimal, let value = scalar.properties.numericValue else { return scalar }
                return Unicode.Scalar(UInt8(ascii: "0") + UInt8(value))
            })
    }
}

extension Character {
    fileprivate func isASCIIDigit(_ radix: Int) -> Bool {
        guard let ascii = asciiValue else { return false }
        let value: Int
        switch ascii {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = Int(ascii) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = Int(ascii) - 0x61 + 10
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = Int(ascii) - 0x41 + 10
        default: return false
        }
        return value < radix
    }
}

extension String {
    /// `1.e5` as `1.0e5`, which is how Swift reads it.
    fileprivate var replacingDotBeforeExponent: String {
        var result = ""
        var previous: Character = " "
        for character in self {
            if character == "e", previous == "." { result.append("0") }
            result.append(character)
            previous = character
        }
        return result
    }
}
