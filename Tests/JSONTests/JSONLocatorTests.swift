import JSON
import Testing

struct JSONLocatorTests {
    private static let text = #" {"a": [1, {"b\u0041": "x, ]\"}"}, null], "c" : -1.5e3 ,"a": [true,[ ] ]}"#

    @Test(arguments: [
        ([JSON.PathStep.key("c")], "-1.5e3"), ([.key("a"), .index(0)], "true"), ([.key("a"), .index(1)], "[ ]"),
        ([.key("a")], "[true,[ ] ]"),
    ])
    func `A value is found, of a repeated key the last`(path: [JSON.PathStep], value: String) throws {
        let bytes = Array(Self.text.utf8)
        let place = JSON.range(of: path, in: bytes.span)
        let range = try #require(place)
        #expect(String(decoding: bytes[range], as: UTF8.self) == value)
    }

    @Test func `Keys and strings with escapes are understood`() throws {
        let bytes = Array(#"[{"b\u0041": "x, ]\"}"}]"#.utf8)
        let place = JSON.range(of: [.index(0), .key("bA")], in: bytes.span)
        let range = try #require(place)
        #expect(String(decoding: bytes[range], as: UTF8.self) == #""x, ]\"}""#)
    }

    @Test func `What is not there is not found`() {
        let bytes = Array(Self.text.utf8)
        for path in [[JSON.PathStep.key("d")], [.index(0)], [.key("a"), .index(2)], [.key("c"), .key("a")]] {
            #expect(JSON.range(of: path, in: bytes.span) == nil)
        }
        #expect(JSON.range(of: [.index(0)], in: Array("[]".utf8).span) == nil)
    }

    @Test func `The whole text is a value too`() {
        let bytes = Array(" 17 ".utf8)
        #expect(JSON.range(of: [], in: bytes.span) == 1..<3)
    }

    @Test func `A place has a line and a column`() {
        let bytes = Array("{\n \"a\"\n}".utf8)
        #expect(JSON.position(of: 0, in: bytes.span) == (1, 0))
        #expect(JSON.position(of: 3, in: bytes.span) == (2, 1))
        #expect(JSON.position(of: 8, in: bytes.span) == (3, 1))
    }
}
