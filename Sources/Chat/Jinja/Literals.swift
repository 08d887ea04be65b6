// The literals of an expression: numbers with `_` between digits, strings with Python's escapes.

/// A number at the beginning of some bytes.
struct NumberLiteral {
    /// `nil` where an integer does not fit.
    let kind: Token.Kind?
    /// The offset behind it.
    let end: Int

    init?(_ bytes: ArraySlice<UInt8>, allowsFloat: Bool) {
        guard let first = bytes.first, Self.isDigit(first, 10) else { return nil }
        if allowsFloat, let end = Self.floatEnd(bytes) {
            let text = String(decoding: bytes[..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
            self.init(kind: .float(Double(text) ?? .infinity), end: end)
            return
        }
        let (radix, digits) = Self.radix(bytes)
        let end = Self.integerEnd(bytes, digits, radix)
        let text = String(decoding: bytes[digits..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        self.init(kind: Int(text, radix: radix).map { .integer($0) }, end: end)
    }

    private init(kind: Token.Kind?, end: Int) {
        self.kind = kind
        self.end = end
    }

    private static func isDigit(_ byte: UInt8, _ radix: Int) -> Bool {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { $0 < radix } ?? false
    }

    /// The offset behind digits with single `_` between them (and before them, where `leading` allows it).
    private static func digitsEnd(_ bytes: ArraySlice<UInt8>, _ start: Int, radix: Int = 10, leading: Bool = false)
        -> Int?
    {
        var end: Int?
        var offset = start
        while offset < bytes.endIndex {
            if isDigit(bytes[offset], radix) {
                offset += 1
                end = offset
            } else if bytes[offset] == UInt8(ascii: "_"), offset == end || (leading && offset == start) {
                offset += 1
            } else {
                break
            }
        }
        return end
    }

    private static func floatEnd(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let integer = digitsEnd(bytes, bytes.startIndex) else { return nil }
        var end = integer
        var isFloat = false
        if end < bytes.endIndex, bytes[end] == UInt8(ascii: "."), let fraction = digitsEnd(bytes, end + 1),
            bytes[end + 1] != UInt8(ascii: "_")
        {
            end = fraction
            isFloat = true
        }
        if end < bytes.endIndex, bytes[end] | 0x20 == UInt8(ascii: "e") {
            var start = end + 1
            if start < bytes.endIndex, bytes[start] == UInt8(ascii: "+") || bytes[start] == UInt8(ascii: "-") {
                start += 1
            }
            if start < bytes.endIndex, isDigit(bytes[start], 10), let exponent = digitsEnd(bytes, start) {
                end = exponent
                isFloat = true
            }
        }
        return isFloat ? end : nil
    }

    /// The radix that a prefix names, and where the digits begin.
    private static func radix(_ bytes: ArraySlice<UInt8>) -> (Int, Int) {
        let start = bytes.startIndex
        guard bytes.count > 2, bytes[start] == UInt8(ascii: "0") else { return (10, start) }
        let radix: Int
        switch bytes[start + 1] | 0x20 {
        case UInt8(ascii: "b"): radix = 2
        case UInt8(ascii: "o"): radix = 8
        case UInt8(ascii: "x"): radix = 16
        default: return (10, start)
        }
        return digitsEnd(bytes, start + 2, radix: radix, leading: true) == nil ? (10, start) : (radix, start + 2)
    }

    /// A decimal number that begins with 0 is made of zeros only.
    private static func integerEnd(_ bytes: ArraySlice<UInt8>, _ digits: Int, _ radix: Int) -> Int {
        let end = digitsEnd(bytes, digits, radix: radix, leading: radix != 10) ?? digits
        guard radix == 10, bytes[digits] == UInt8(ascii: "0") else { return end }
        var zeros = digits
        for offset in digits..<end {
            if bytes[offset] == UInt8(ascii: "0") {
                zeros = offset + 1
            } else if bytes[offset] != UInt8(ascii: "_") {
                break
            }
        }
        return zeros
    }
}

enum StringLiteral {
    /// The text between the quotes with its escapes replaced. An unknown escape stands for itself.
    static func unescaped(_ literal: ArraySlice<UInt8>) throws(ChatError) -> Text {
        var result: [UInt8] = []
        result.reserveCapacity(literal.count)
        var rest = literal
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "\n"): break
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): result.append(escape)
            case UInt8(ascii: "a"): result.append(0x07)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "v"): result.append(0x0B)
            case UInt8(ascii: "x"): result.append(try scalar(&rest, digits: 2, "truncated \\xXX escape"))
            case UInt8(ascii: "u"): result.append(try scalar(&rest, digits: 4, "truncated \\uXXXX escape"))
            case UInt8(ascii: "U"): result.append(try scalar(&rest, digits: 8, "truncated \\UXXXXXXXX escape"))
            case UInt8(ascii: "N"): throw ChatError(.syntax, "character names in string literals are not supported")
            case UInt8(ascii: "0")...UInt8(ascii: "7"): result.append(octal(escape, &rest))
            case 0x80...:
                // Python escapes what is not ASCII first, and then finds the two backslashes to be one that is escaped.
                result.append(byte)
                let (scalar, length) = ([escape] + rest.prefix(3)).scalar(at: 0)
                result += Text(scalar).escapingNonASCII.bytes.dropFirst()
                rest = rest.dropFirst(length - 1)
            default: result += [byte, escape]
            }
        }
        return Text(bytes: result)
    }

    private static func scalar(
        _ rest: inout ArraySlice<UInt8>, digits: Int, _ problem: String
    ) throws(ChatError) -> Unicode.Scalar {
        let text = String(decoding: rest.prefix(digits), as: UTF8.self)
        guard text.utf8.count == digits, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt32(text, radix: 16)
        else { throw ChatError(.syntax, problem) }
        guard let scalar = Unicode.Scalar(value) else { throw ChatError(.syntax, "illegal Unicode character") }
        rest = rest.dropFirst(digits)
        return scalar
    }

    private static func octal(_ first: UInt8, _ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
        var value = UInt32(first - UInt8(ascii: "0"))
        for _ in 0..<2 {
            guard let next = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(next) else { break }
            value = value * 8 + UInt32(next - UInt8(ascii: "0"))
            rest = rest.dropFirst()
        }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }
}
