extension JSON {
    /// Levels of arrays and objects that ``parse(_:maximumDepth:)-(String,_)`` accepts unless told otherwise.
    package static let defaultMaximumDepth = 512

    /// Parses exactly one JSON value, as RFC 8259 defines it: no comments, no trailing commas, no byte order mark.
    ///
    /// A repeated key keeps its first place and takes the last value. A string holding a lone surrogate is an error, because
    /// no UTF-8 text can hold it.
    package static func parse(
        _ text: String, maximumDepth: Int = defaultMaximumDepth
    ) throws(JSONError) -> JSON {
        try parse(text.utf8.span, maximumDepth: maximumDepth)
    }

    /// Parses the bytes of exactly one JSON value; bytes that are not UTF-8 are an error.
    package static func parse(
        _ bytes: [UInt8], maximumDepth: Int = defaultMaximumDepth
    ) throws(JSONError) -> JSON {
        try parse(bytes.span, maximumDepth: maximumDepth)
    }

    package static func parse(
        _ bytes: Span<UInt8>, maximumDepth: Int = defaultMaximumDepth
    ) throws(JSONError) -> JSON {
        var parser = JSONParser(text: bytes, maximumDepth: maximumDepth)
        return try parser.parseDocument()
    }
}

/// A recursive-descent parser; the depth limit bounds its stack.
private struct JSONParser: ~Escapable {
    private let text: Span<UInt8>
    private let maximumDepth: Int
    private var offset = 0
    private var depth = 0
    /// A string that holds escapes, decoded.
    private var decoded: [UInt8] = []

    @_lifetime(copy text)
    init(text: Span<UInt8>, maximumDepth: Int) {
        self.text = text
        self.maximumDepth = maximumDepth
    }

    mutating func parseDocument() throws(JSONError) -> JSON {
        let value = try parseValue()
        skipWhitespace()
        if offset < text.count { throw error(.trailingText) }
        return value
    }

    // MARK: Values

    private mutating func parseValue() throws(JSONError) -> JSON {
        skipWhitespace()
        guard let byte = peek() else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw error(.expectedValue)
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSON {
        try enter()
        var object = JSONObject()
        skipWhitespace()
        if take(UInt8(ascii: "}")) { return leave(.object(object)) }
        while true {
            skipWhitespace()
            guard peek() == UInt8(ascii: "\"") else { throw error(.expectedKey) }
            let key = try parseString()
            skipWhitespace()
            guard take(UInt8(ascii: ":")) else { throw error(.expectedColon) }
            object[key] = try parseValue()
            skipWhitespace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "}")) else { throw error(.expectedCommaOrBrace) }
            return leave(.object(object))
        }
    }

    private mutating func parseArray() throws(JSONError) -> JSON {
        try enter()
        var elements: [JSON] = []
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return leave(.array(elements)) }
        while true {
            elements.append(try parseValue())
            skipWhitespace()
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "]")) else { throw error(.expectedCommaOrBracket) }
            return leave(.array(elements))
        }
    }

    private mutating func enter() throws(JSONError) {
        guard depth < maximumDepth else { throw error(.tooDeep(limit: maximumDepth)) }
        depth += 1
        offset += 1
    }

    private mutating func leave(_ value: JSON) -> JSON {
        depth -= 1
        return value
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for index in 0..<word.utf8CodeUnitCount {
            guard offset + index < text.count else { throw error(.unexpectedEnd, at: text.count) }
            guard unsafe text[offset + index] == word.utf8Start[index] else { throw error(.expectedValue) }
        }
        offset += word.utf8CodeUnitCount
        return value
    }

    // MARK: Numbers

    private mutating func parseNumber() throws(JSONError) -> JSON {
        let start = offset
        let isNegative = take(UInt8(ascii: "-"))
        let digits = offset
        try skipDigits()
        guard text[digits] != UInt8(ascii: "0") || offset == digits + 1 else { throw error(.invalidNumber, at: start) }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try skipDigits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try skipDigits()
        }
        if isInteger, let integer = integer(digits..<offset, isNegative: isNegative) { return integer }
        let literal = string(start..<offset)
        if !isInteger, let double = Double(literal), double.isFinite { return .double(double) }
        return .number(literal)
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = offset
        while let byte = peek(), isDigit(byte) { offset += 1 }
        if offset == start { throw error(offset < text.count ? .invalidNumber : .unexpectedEnd) }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private func integer(_ digits: Range<Int>, isNegative: Bool) -> JSON? {
        var magnitude: UInt64 = 0
        for index in digits {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(text[index] - UInt8(ascii: "0")))
            if overflow || carry { return nil }
            magnitude = sum
        }
        if !isNegative { return JSON(magnitude) }
        guard magnitude <= Int64.min.magnitude else { return nil }
        return .int(Int64(truncatingIfNeeded: 0 &- magnitude))
    }

    /// ASCII bytes as a string.
    private func string(_ range: Range<Int>) -> String {
        String(decoding: range.map { text[$0] }, as: UTF8.self)
    }

    // MARK: Strings

    private mutating func parseString() throws(JSONError) -> String {
        offset += 1
        let start = offset
        while let byte = peek() {
            if byte == UInt8(ascii: "\"") {
                let string = try validated(text.extracting(start..<offset), at: start)
                offset += 1
                return string
            }
            if byte == UInt8(ascii: "\\") { return try parseEscapedString(from: start) }
            if byte < 0x20 { throw error(.controlCharacter) }
            offset += 1
        }
        throw error(.unexpectedEnd)
    }

    /// Goes on with a string at its first escape.
    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        decoded.removeAll(keepingCapacity: true)
        var plain = start
        while let byte = peek() {
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                offset += 1
                continue
            }
            // Each plain run is checked on its own so that an error has its true place.
            decoded.append(contentsOf: try validated(text.extracting(plain..<offset), at: plain).utf8)
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: decoded, as: UTF8.self)
            case UInt8(ascii: "\\"):
                try parseEscape()
                plain = offset
            default:
                throw error(.controlCharacter)
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func parseEscape() throws(JSONError) {
        let start = offset
        offset += 1
        guard let byte = peek() else { throw error(.unexpectedEnd) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(byte)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"): decoded.append(contentsOf: Character(try parseUnicodeEscape(from: start)).utf8)
        default: throw error(.invalidEscape, at: start)
        }
    }

    /// The scalar of `\uXXXX`, or of two of them that form a surrogate pair; `offset` is behind the `u`.
    private mutating func parseUnicodeEscape(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let high = try parseHex(from: start)
        guard let scalar = Unicode.Scalar(high) else {
            guard high < 0xDC00, take(UInt8(ascii: "\\"), UInt8(ascii: "u")) else {
                throw error(.loneSurrogate, at: start)
            }
            let low = try parseHex(from: offset - 2)
            guard low >= 0xDC00, low < 0xE000,
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            else { throw error(.loneSurrogate, at: start) }
            return scalar
        }
        return scalar
    }

    private mutating func parseHex(from start: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw error(.unexpectedEnd) }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error(.invalidEscape, at: start)
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    private func validated(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> String {
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw self.error(.invalidUTF8, at: start + error.byteOffsets.lowerBound)
        }
    }

    // MARK: Bytes

    private func peek() -> UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    private mutating func take(_ first: UInt8, _ second: UInt8) -> Bool {
        guard offset + 1 < text.count, text[offset] == first, text[offset + 1] == second else { return false }
        offset += 2
        return true
    }

    private mutating func skipWhitespace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    /// An error here; at the end of the text any of them is that the text ends too early.
    private func error(_ problem: JSONError.Problem) -> JSONError {
        JSONError(offset < text.count ? problem : .unexpectedEnd, at: offset, in: text)
    }

    private func error(_ problem: JSONError.Problem, at place: Int) -> JSONError {
        JSONError(problem, at: place, in: text)
    }
}
