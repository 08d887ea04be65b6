import Foundation
import JSON
import TestSupport
import Testing

/// Python's `json` module is the reference for the text of numbers and for white space.
@Suite struct PythonJSONTests {
    /// `json.dumps(json.loads(line), ensure_ascii=False, indent=…)` of each line.
    private func dumps(_ lines: [String], indent: String) throws -> [String]? {
        let script = """
            import json, sys
            lines = sys.stdin.buffer.read().decode().split("\\n")
            texts = [json.dumps(json.loads(l), ensure_ascii=False, indent=\(indent)) for l in lines]
            sys.stdout.buffer.write("\\x00".join(texts).encode())
            """
        guard let output = try Python.run(["-c", script], input: Data(lines.joined(separator: "\n").utf8)) else {
            return nil
        }
        return String(decoding: output, as: UTF8.self).components(separatedBy: "\0")
    }

    @Test func numbers() throws {
        var random = SystemRandomNumberGenerator()
        var lines = [
            "0", "-0", "-0.0", "1e16", "9999999999999998.0", "1e15", "123456789012345678", "18014398509481984.0",
            "1e-5",
            "18014398509481983.0", "123456789012345678901234567890", "1e22", "1e23", "5e-324", "1E-3", "0.1e1", "9e15",
        ]
        for _ in 0..<5000 {
            let double = Double(bitPattern: random.next())
            if double.isFinite { lines.append(String(double)) }
            lines.append(String(Double.random(in: -1e17...1e17)))
            lines.append(String(Int64(truncatingIfNeeded: random.next())))
            lines.append(String(random.next()))
            lines.append("\(Int.random(in: -999...999)).\(Int.random(in: 0...99999))e\(Int.random(in: -20...20))")
        }
        guard let expected = try dumps(lines, indent: "None") else { return }
        try #require(expected.count == lines.count)
        for (line, text) in zip(lines, expected) {
            #expect(try JSON.parse(line).text(style: .spaced) == text, "\(line)")
        }
    }

    @Test func layoutAndStrings() throws {
        let lines = [
            #"{"a":[1,{"b":[]},{}],"c":{"d":null,"e":[true,false]},"a":2}"#, "[]", "{}", "[[],[[]],{}]",
            #"["\u0000\u001f\u007f\u0080\u2028\ud83d\ude00é\/<>&'\"\\\b\f\n\r\t"]"#,
        ]
        for (indent, style) in [
            ("None", JSONWriter.Style.spaced), ("2", .pretty(indent: 2)), ("0", .pretty(indent: 0)),
        ] {
            guard let expected = try dumps(lines, indent: indent) else { return }
            for (line, text) in zip(lines, expected) { #expect(try JSON.parse(line).text(style: style) == text) }
        }
    }
}
