/// Why a text is not JSON, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Problem: Equatable, Sendable {
        case expectedValue
        case unexpectedEnd
        case expectedKey
        case expectedColon
        case expectedCommaOrBracket
        case expectedCommaOrBrace
        case trailingText
        case invalidNumber
        case controlCharacter
        case invalidEscape
        case loneSurrogate
        case invalidUTF8
        case tooDeep(limit: Int)
    }

    package let problem: Problem
    /// Byte offset from the start of the text.
    package let offset: Int
    /// Line of that byte, from 1.
    package let line: Int
    /// Column of that byte in characters (Unicode scalars) of its line, from 1.
    package let column: Int

    init(_ problem: Problem, at offset: Int, in text: Span<UInt8>) {
        var line = 1
        var column = 1
        for index in 0..<min(offset, text.count) {
            if text[index] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if text[index] & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.problem = problem
        self.offset = offset
        self.line = line
        self.column = column
    }

    package var description: String { "\(problem) at line \(line) column \(column)" }
}

extension JSONError.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .expectedValue: "expected value"
        case .unexpectedEnd: "unexpected end of text"
        case .expectedKey: "expected a key in double quotes"
        case .expectedColon: "expected `:`"
        case .expectedCommaOrBracket: "expected `,` or `]`"
        case .expectedCommaOrBrace: "expected `,` or `}`"
        case .trailingText: "unexpected text after the value"
        case .invalidNumber: "invalid number"
        case .controlCharacter: "unescaped control character in a string"
        case .invalidEscape: "invalid escape"
        case .loneSurrogate: "lone surrogate in a \\u escape"
        case .invalidUTF8: "invalid UTF-8"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        }
    }
}
