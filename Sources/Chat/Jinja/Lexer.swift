/// Splits a template into tokens, with `trim_blocks` and `lstrip_blocks` as chat templates have them.
struct Lexer {
    private var source: Text
    private var bytes: [UInt8] { source.bytes }
    private var position = 0
    private var line = 1
    /// Whether what came before ended a line, so that whitespace at `position` begins one.
    private var isAtLineStart = true
    private var tokens: [Token] = []

    private init(_ source: Text) {
        self.source = source
    }

    /// The tokens of a template; the last one is `.end`.
    static func tokens(of source: String) throws(ChatError) -> [Token] {
        var bytes = normalisingNewlines(Array(source.utf8))
        if bytes.last == newline { bytes.removeLast() }
        var lexer = Lexer(Text(bytes: bytes))
        try lexer.run()
        return lexer.tokens
    }

    private static let newline = UInt8(ascii: "\n")

    /// `\r\n` and `\r` as `\n`.
    static func normalisingNewlines(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "\r")) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var previous: UInt8 = 0
        for byte in bytes {
            if byte == UInt8(ascii: "\r") {
                result.append(newline)
            } else if byte != newline || previous != UInt8(ascii: "\r") {
                result.append(byte)
            }
            previous = byte
        }
        return result
    }

    private mutating func run() throws(ChatError) {
        while position < bytes.count { try data() }
        emit(.end)
    }

    // MARK: - Data

    private enum Tag { case variable, block, comment, raw }

    /// Data up to the next tag, and that tag.
    private mutating func data() throws(ChatError) {
        guard let (start, tag) = nextTag(from: position) else {
            emitData(bytes[position...])
            advance(to: bytes.count)
            return
        }
        let (sign, bodyStart) = sign(at: start + 2)
        emitData(stripping(bytes[position..<start], before: tag, sign: sign))
        advance(to: bodyStart)
        switch tag {
        case .variable:
            emit(.variableBegin)
            try expression(endingWith: .variable)
        case .block:
            emit(.blockBegin)
            try expression(endingWith: .block)
        case .comment:
            try comment()
        case .raw:
            // The tag was seen whole by `nextTag`, so its end is there.
            if let end = rawTagEnd(from: start) { advance(to: end) }
            try raw()
        }
    }

    /// The next opening tag at or after `start`.
    private func nextTag(from start: Int) -> (Int, Tag)? {
        var offset = start
        while let brace = bytes[offset...].firstIndex(of: UInt8(ascii: "{")), brace + 1 < bytes.count {
            switch bytes[brace + 1] {
            case UInt8(ascii: "{"): return (brace, .variable)
            case UInt8(ascii: "#"): return (brace, .comment)
            case UInt8(ascii: "%"): return (brace, rawTagEnd(from: brace) == nil ? .block : .raw)
            default: offset = brace + 1
            }
        }
        return nil
    }

    /// Data before a tag: `-` strips all whitespace, otherwise indentation before a statement goes, unless `+` keeps it.
    private func stripping(_ data: ArraySlice<UInt8>, before tag: Tag, sign: UInt8?) -> ArraySlice<UInt8> {
        if sign == UInt8(ascii: "-") {
            return Text(bytes: data).strippedAtEnd { $0.isPythonWhitespace }.bytes[...]
        }
        guard sign != UInt8(ascii: "+"), tag != .variable else { return data }
        let lineStart = data.lastIndex(of: Self.newline).map { $0 + 1 }
        guard let start = lineStart ?? (isAtLineStart ? data.startIndex : nil) else { return data }
        let isBlank = Text(bytes: data[start...]).isAll { $0.isPythonWhitespace }
        return isBlank ? data[..<start] : data
    }

    /// An optional `-` or `+` and the offset behind it.
    private func sign(at offset: Int) -> (UInt8?, Int) {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "-") || bytes[offset] == UInt8(ascii: "+") else {
            return (nil, offset)
        }
        return (bytes[offset], offset + 1)
    }

    private mutating func comment() throws(ChatError) {
        guard position < bytes.count else { return }
        guard let hash = source.find("#}", from: position) else {
            throw ChatError(.syntax, "Missing end of comment tag", line: line)
        }
        let previous = hash > position ? bytes[hash - 1] : 0
        advance(to: tagEnd(at: hash, strips: previous == UInt8(ascii: "-"), keeps: previous == UInt8(ascii: "+")))
    }

    /// The offset behind a closing tag of two bytes at `offset`: `-` takes the whitespace that follows, otherwise one newline goes
    /// unless `+` keeps it.
    private func tagEnd(at offset: Int, strips: Bool, keeps: Bool) -> Int {
        let end = offset + 2
        if strips { return source.skippingWhitespace(from: end) }
        return !keeps && end < bytes.count && bytes[end] == Self.newline ? end + 1 : end
    }

    // MARK: - Raw

    /// The offset behind `{% raw %}` if that is what begins at `start`.
    private func rawTagEnd(from start: Int) -> Int? {
        guard let word = word("raw", afterTagAt: start) else { return nil }
        if bytes[word...].starts(with: "%}".utf8) { return word + 2 }
        if bytes[word...].starts(with: "-%}".utf8) { return source.skippingWhitespace(from: word + 3) }
        return nil
    }

    /// The offset of what follows `{%`, a sign, whitespace, the word and whitespace.
    private func word(_ word: String, afterTagAt start: Int) -> Int? {
        let offset = source.skippingWhitespace(from: sign(at: start + 2).1)
        guard bytes[offset...].starts(with: word.utf8) else { return nil }
        return source.skippingWhitespace(from: offset + word.utf8.count)
    }

    private mutating func raw() throws(ChatError) {
        guard position < bytes.count else { return }
        var offset = position
        while let start = source.find("{%", from: offset) {
            offset = start + 2
            guard let word = word("endraw", afterTagAt: start) else { continue }
            let (closingSign, close) = sign(at: word)
            guard bytes[close...].starts(with: "%}".utf8) else { continue }
            let opening = sign(at: start + 2).0
            emitData(stripping(bytes[position..<start], before: .raw, sign: opening))
            let strips = closingSign == UInt8(ascii: "-")
            advance(to: tagEnd(at: close, strips: strips, keeps: closingSign == UInt8(ascii: "+")))
            return
        }
        throw ChatError(.syntax, "Missing end of raw directive", line: line)
    }

    // MARK: - Expressions

    /// The tokens of a tag, up to and with its end. Inside brackets the end is not looked for.
    private mutating func expression(endingWith tag: Tag) throws(ChatError) {
        var brackets: [Token.Symbol] = []
        while position < bytes.count {
            if brackets.isEmpty, let end = closingTag(tag) {
                emit(tag == .block ? .blockEnd : .variableEnd)
                advance(to: end)
                return
            }
            let next = source.skippingWhitespace(from: position)
            if next > position {
                advance(to: next)
                continue
            }
            try lexeme(&brackets)
        }
    }

    /// The offset behind the end of the tag, if it ends here.
    private func closingTag(_ tag: Tag) -> Int? {
        let rest = bytes[position...]
        if tag == .variable {
            if rest.starts(with: "-}}".utf8) { return source.skippingWhitespace(from: position + 3) }
            return rest.starts(with: "}}".utf8) ? position + 2 : nil
        }
        let (sign, close) = sign(at: position)
        guard bytes[close...].starts(with: "%}".utf8) else { return nil }
        return tagEnd(at: close, strips: sign == UInt8(ascii: "-"), keeps: sign == UInt8(ascii: "+"))
    }

    private mutating func lexeme(_ brackets: inout [Token.Symbol]) throws(ChatError) {
        let start = position
        if let number = try number() {
            emit(number.kind)
            advance(to: number.end)
        } else if let end = nameEnd() {
            let name = Text(bytes: bytes[start..<end])
            guard let first = name.scalars.first(where: { _ in true }), first == "_" || first.properties.isXIDStart
            else {
                throw ChatError(.syntax, "Invalid character in identifier", line: line)
            }
            emit(.name(name))
            advance(to: end)
        } else if let end = stringEnd() {
            emit(.string(try unescaped(bytes[(start + 1)..<(end - 1)])))
            advance(to: end)
        } else if let symbol = Token.Symbol.allCases.first(where: { bytes[start...].starts(with: $0.rawValue.utf8) }) {
            if let closing = symbol.closing {
                brackets.append(closing)
            } else if symbol.isClosing {
                guard let expected = brackets.popLast() else {
                    throw ChatError(.syntax, "unexpected '\(symbol.rawValue)'", line: line)
                }
                guard expected == symbol else {
                    throw ChatError(
                        .syntax, "unexpected '\(symbol.rawValue)', expected '\(expected.rawValue)'", line: line)
                }
            }
            emit(.symbol(symbol))
            advance(to: start + symbol.rawValue.utf8.count)
        } else {
            let scalar = Text(bytes.scalar(at: start).0)
            throw ChatError(
                .syntax, "unexpected char \(scalar.quoted) at \(source.scalarIndex(ofByte: start))", line: line)
        }
    }

    private func nameEnd() -> Int? {
        var offset = position
        while offset < bytes.count {
            let (scalar, length) = bytes.scalar(at: offset)
            guard scalar == "_" || scalar.isAlphanumeric || !scalar.isASCII && scalar.properties.isXIDContinue else {
                break
            }
            offset += length
        }
        return offset > position ? offset : nil
    }

    /// The offset behind the string literal that begins here.
    private func stringEnd() -> Int? {
        let quote = bytes[position]
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        var offset = position + 1
        while offset < bytes.count {
            if bytes[offset] == quote { return offset + 1 }
            offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private func number() throws(ChatError) -> (kind: Token.Kind, end: Int)? {
        let followsDot = position > 0 && bytes[position - 1] == UInt8(ascii: ".")
        guard let number = NumberLiteral(bytes[position...], allowsFloat: !followsDot) else { return nil }
        guard let kind = number.kind else { throw ChatError(.syntax, "integer literal is too large", line: line) }
        return (kind, number.end)
    }

    private func unescaped(_ literal: ArraySlice<UInt8>) throws(ChatError) -> Text {
        guard literal.contains(UInt8(ascii: "\\")) else { return Text(bytes: literal) }
        do {
            return try StringLiteral.unescaped(literal)
        } catch {
            throw error.at(line: line)
        }
    }

    // MARK: - Output

    private mutating func emit(_ kind: Token.Kind) {
        tokens.append(Token(kind: kind, line: line))
    }

    private mutating func emitData(_ data: ArraySlice<UInt8>) {
        if !data.isEmpty { emit(.data(Text(bytes: data))) }
    }

    private mutating func advance(to end: Int) {
        guard end > position else { return }
        line += bytes[position..<end].count { $0 == Self.newline }
        isAtLineStart = bytes[end - 1] == Self.newline
        position = end
    }
}
