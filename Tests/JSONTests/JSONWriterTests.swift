import JSON
import Testing

@Suite struct JSONWriterTests {
    static let sample: JSON = [
        "z": [1, [], [:], "é\"\\\n\u{1}\u{7F}/<"], "a": ["k": .null, "b": [true, 0.1]], "m": -1.5e-7,
    ]

    @Test func compact() {
        #expect(
            Self.sample.text()
                == #"{"z":[1,[],{},"é\"\\\n\u0001"# + "\u{7F}" + #"/<"],"a":{"k":null,"b":[true,0.1]},"m":-1.5e-07}"#)
    }

    @Test func spaced() {
        let value: JSON = ["a": [1, ["b": 2, "c": []], [:]]]
        #expect(value.text(style: .spaced) == #"{"a": [1, {"b": 2, "c": []}, {}]}"#)
    }

    @Test func pretty() {
        let value: JSON = ["a": [1, ["b": 2, "c": []]], "d": [:]]
        #expect(
            value.text(style: .pretty(indent: 2)) == """
                {
                  "a": [
                    1,
                    {
                      "b": 2,
                      "c": []
                    }
                  ],
                  "d": {}
                }
                """)
    }

    @Test func streamsEvents() {
        var writer = JSONWriter()
        for index in 1...2 {
            writer.raw("data: ")
            writer.beginObject()
            writer.member("index", index)
            writer.key("token")
            writer.beginObject()
            writer.member("logprob", Float(-0.1))
            writer.member("special", false)
            writer.endObject()
            writer.member("generated_text", String?.none)
            writer.member("top", [1, 2] as [Int32])
            writer.endObject()
            writer.raw("\n\n")
        }
        let token = #""token":{"logprob":-0.1,"special":false},"generated_text":null,"top":[1,2]}"#
        #expect(writer.text == "data: {\"index\":1,\(token)\n\ndata: {\"index\":2,\(token)\n\n")
        writer.removeAll()
        writer.value("x")
        #expect(writer.text == #""x""#)
    }

    @Test(
        arguments: [
            (Float(0.1), "0.1"), (-0.0, "-0.0"), (1, "1.0"), (1e-10, "1e-10"), (16_777_216, "16777216.0"),
            (.greatestFiniteMagnitude, "3.4028235e+38"), (.leastNonzeroMagnitude, "1e-45"),
            (-1.1920929e-07, "-1.1920929e-07"),
            (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
        ] as [(Float, String)])
    func floats(_ value: Float, _ text: String) {
        var writer = JSONWriter()
        writer.value(value)
        #expect(writer.text == text)
        if value.isFinite { #expect(JSON(value).text() == text) }
    }

    @Test(
        arguments: [
            (0.1, "0.1"), (3, "3.0"), (1e15, "1000000000000000.0"), (9.5e15, "9500000000000000.0"), (1e16, "1e+16"),
            (1.25e16, "1.25e+16"), (-1.8e16, "-1.8e+16"),
            (-9_999_999_999_999_998, "-9999999999999998.0"),
            (123_456_789_012_345_680, "1.2345678901234568e+17"), (1e22, "1e+22"), (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0.0"), (.nan, "null"), (-.infinity, "null"),
        ] as [(Double, String)])
    func doubles(_ value: Double, _ text: String) {
        #expect(JSON(value).text() == text)
    }

    @Test func integers() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.value(UInt64.max)
        writer.value(Int64.min)
        writer.value(0)
        writer.value(Int32(-10))
        writer.endArray()
        #expect(writer.text == "[18446744073709551615,-9223372036854775808,0,-10]")
        #expect(JSON(UInt64.max) == .uint(.max))
        #expect(JSON(UInt64(5)) == 5)
        #expect(JSON(Int128(Int64.min) - 1) == .number("-9223372036854775809"))
    }

    @Test func everyFloatBitPatternSampleRoundTrips() throws {
        var bits: UInt32 = 1
        for _ in 0..<20_000 {
            bits = bits &* 1_664_525 &+ 1_013_904_223
            let value = Float(bitPattern: bits)
            guard value.isFinite else { continue }
            let text = JSON(value).text()
            #expect(Float(text) == value)
            #expect(try JSON.parse(text).text() == text)
        }
    }

    @Test func valuesRoundTripThroughEveryStyle() throws {
        for style in [JSONWriter.Style.compact, .spaced, .pretty(indent: 4), .pretty(indent: 0)] {
            let text = Self.sample.text(style: style)
            let parsed = try JSON.parse(text)
            #expect(parsed == Self.sample)
            #expect(parsed.text(style: style) == text)
        }
    }

    @Test func everyScalarRoundTrips() throws {
        var string = ""
        for code in UInt32(0)...0x10FFFF {
            if let scalar = Unicode.Scalar(code), code < 0x3000 || code % 997 == 0 {
                string.unicodeScalars.append(scalar)
            }
        }
        #expect(try JSON.parse(JSON.string(string).text()) == .string(string))
    }
}
