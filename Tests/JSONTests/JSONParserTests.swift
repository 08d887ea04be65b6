import JSON
import Testing

@Suite struct JSONParserTests {
    @Test(
        arguments: [
            ("null", JSON.null), (" true ", true), ("\tfalse\r\n", false),
            ("0", 0), ("-0", 0), ("42", 42), ("-7", -7),
            ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
            ("9223372036854775808", .uint(9_223_372_036_854_775_808)), ("18446744073709551615", .uint(.max)),
            ("18446744073709551616", .number("18446744073709551616")),
            ("-9223372036854775809", .number("-9223372036854775809")),
            ("1.0", .double(1)), ("-0.0", .double(-0.0)), ("1e3", .double(1000)), ("1E+2", .double(100)),
            ("2.5e-3", .double(0.0025)), ("0e0", .double(0)), ("1e-999", .double(0)),
            ("5e-324", .double(.leastNonzeroMagnitude)),
            ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
            ("1e999", .number("1e999")), ("-1e400", .number("-1e400")),
            (#""""#, ""), (#""a\"b\\c\/d\b\f\n\r\t""#, "a\"b\\c/d\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC\u0000""#, "Aé€\u{0}"), (#""\ud83d\ude00\uDBFF\uDFFF""#, "😀\u{10FFFF}"),
            ("\"é€😀\u{7F}\u{FFFF}\"", "é€😀\u{7F}\u{FFFF}"), (#""é\n😀\t€""#, "é\n😀\t€"),
            ("[]", []), ("[ ]", []), ("[1,[2,[]], \"x\"]", [1, [2, []], "x"]),
            ("{}", [:]), ("{ }", [:]), (#"{"a":{"b":[{}]},"":0}"#, ["a": ["b": [[:]]], "": 0]),
        ] as [(String, JSON)])
    func accepts(_ text: String, _ value: JSON) throws {
        #expect(try JSON.parse(text) == value)
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3), ("nulL", .expectedValue, 0),
            ("True", .expectedValue, 0), ("NaN", .expectedValue, 0), ("Infinity", .expectedValue, 0),
            ("'a'", .expectedValue, 0),
            ("\u{FEFF}1", .expectedValue, 0), ("// x\n1", .expectedValue, 0), ("1 2", .trailingText, 2),
            ("truefalse", .trailingText, 4), ("[1]]", .trailingText, 3), ("{}/**/", .trailingText, 2),
            ("01", .invalidNumber, 0), ("-01", .invalidNumber, 0), ("00", .invalidNumber, 0), ("1.", .unexpectedEnd, 2),
            ("1.x", .invalidNumber, 2), (".5", .expectedValue, 0), ("+1", .expectedValue, 0), ("-", .unexpectedEnd, 1),
            ("-a", .invalidNumber, 1), ("1e", .unexpectedEnd, 2), ("1e+", .unexpectedEnd, 3),
            ("1e+-1", .invalidNumber, 3),
            ("1e1.5", .trailingText, 3), ("0x10", .trailingText, 1), ("1_000", .trailingText, 1),
            ("-Infinity", .invalidNumber, 1),
            ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3),
            ("[1,]", .expectedValue, 3),
            ("[,1]", .expectedValue, 1), ("[1 2]", .expectedCommaOrBracket, 3), ("[1}", .expectedCommaOrBracket, 2),
            ("[1:2]", .expectedCommaOrBracket, 2), ("]", .expectedValue, 0),
            ("{", .unexpectedEnd, 1), ("{\"a\"", .unexpectedEnd, 4), ("{\"a\":", .unexpectedEnd, 5),
            ("{\"a\":1", .unexpectedEnd, 6), ("{\"a\":1,", .unexpectedEnd, 7), ("{\"a\":1,}", .expectedKey, 7),
            ("{a:1}", .expectedKey, 1), ("{1:1}", .expectedKey, 1), ("{\"a\" 1}", .expectedColon, 5),
            ("{\"a\":1 \"b\"}", .expectedCommaOrBrace, 7), ("{\"a\":}", .expectedValue, 5),
            ("{\"a\":1]", .expectedCommaOrBrace, 6),
            ("{,}", .expectedKey, 1), ("{\"a\"::1}", .expectedValue, 5),
            ("\"", .unexpectedEnd, 1), ("\"abc", .unexpectedEnd, 4), ("\"a\u{1F}\"", .controlCharacter, 2),
            ("\"a\nb\"", .controlCharacter, 2), ("\"\\t\t\"", .controlCharacter, 3), ("\"\\", .unexpectedEnd, 2),
            ("\"\\x41\"", .invalidEscape, 1), ("\"\\'\"", .invalidEscape, 1), ("\"\\u12\"", .invalidEscape, 1),
            ("\"\\u12", .unexpectedEnd, 5), ("\"\\u00g0\"", .invalidEscape, 1), ("\"\\U0041\"", .invalidEscape, 1),
            ("\"\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
            ("\"a\\ud800\\n\"", .loneSurrogate, 2),
            ("\"\\ud800\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\\ud800\"", .loneSurrogate, 1),
            ("\"\\ud800\\u0041\"", .loneSurrogate, 1), ("\"\\ud83d\\u\"", .invalidEscape, 7),
        ] as [(String, JSONError.Problem, Int)])
    func rejects(_ text: String, _ problem: JSONError.Problem, _ offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
        #expect(error?.problem == problem)
        #expect(error?.offset == offset)
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80],
        ] as [[UInt8]])
    func rejectsInvalidUTF8(_ bytes: [UInt8]) {
        let plain = #expect(throws: JSONError.self) { try JSON.parse(Array("\"ab".utf8) + bytes + Array("\"".utf8)) }
        #expect(plain?.problem == .invalidUTF8)
        #expect(plain?.offset == 3)
        let escaped = #expect(throws: JSONError.self) {
            try JSON.parse(Array("[\"\\n".utf8) + bytes + Array("\"]".utf8))
        }
        #expect(escaped?.problem == .invalidUTF8)
        #expect(escaped?.offset == 4)
        #expect(throws: JSONError.self) { try JSON.parse(bytes) }
    }

    @Test func placesErrorsByLineAndColumn() {
        let error = #expect(throws: JSONError.self) { try JSON.parse("{\n  \"é\": [1,\n  \"ü\" x]\n}") }
        #expect(error?.line == 3)
        #expect(error?.column == 7)
        #expect(error?.description == "expected `,` or `]` at line 3 column 7")
    }

    @Test func boundsDepth() throws {
        let limit = JSON.defaultMaximumDepth
        let deep = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
        #expect(try JSON.parse(deep).arrayValue?.count == 1)
        let error = #expect(throws: JSONError.self) { try JSON.parse("[" + deep + "]") }
        #expect(error?.problem == .tooDeep(limit: limit))
        let endless = Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError.self) { try JSON.parse(endless) }
        let objects = String(repeating: "{\"a\":", count: 100_000)
        #expect(throws: JSONError.self) { try JSON.parse(objects) }
        #expect(throws: JSONError.self) { try JSON.parse("[[]]", maximumDepth: 1) }
        // Neighbours do not add up.
        #expect(try JSON.parse("[" + String(repeating: "[],", count: 2000) + "[]]").arrayValue?.count == 2001)
    }

    @Test func lastOfDuplicateKeysWinsInTheFirstPlace() throws {
        let value = try JSON.parse(#"{"a":1,"b":2,"a":3}"#)
        #expect(value.text() == #"{"a":3,"b":2}"#)
    }

    @Test func everyPrefixAndEveryChangedByteIsHandled() {
        let text = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é",true,null],"b":{}}"#.utf8)
        for end in 0..<text.count {
            #expect(throws: JSONError.self) { try JSON.parse(Array(text[..<end])) }
        }
        var accepted = 0
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                guard let value = try? JSON.parse(changed) else { continue }
                accepted += 1
                #expect((try? JSON.parse(value.text())) == value)
            }
        }
        #expect(accepted > text.count)
    }
}
