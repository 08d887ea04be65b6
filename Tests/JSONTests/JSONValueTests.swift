import JSON
import Testing

@Suite struct JSONValueTests {
    @Test func objectsKeepOrderAcrossTheIndex() {
        var object = JSONObject()
        for index in (0..<100).reversed() { object["k\(index)"] = .int(Int64(index)) }
        #expect(object.keys == (0..<100).reversed().map { "k\($0)" })
        #expect(object["k42"] == 42)
        #expect(object["x"] == nil)
        object["k42"] = "new"
        #expect(object[57] == ("k42", "new"))
        for index in 0..<95 { object["k\(index)"] = nil }
        #expect(object.keys == ["k99", "k98", "k97", "k96", "k95"])
        object["k1"] = nil
        object["k96"] = nil
        #expect(object["k95"] == 95)
        #expect(object.count == 4)
    }

    @Test func equalityIgnoresTheOrderOfMembers() {
        #expect(JSON.object(["a": 1, "b": 2]) == ["b": 2, "a": 1])
        #expect(JSON.object(["a": 1, "b": 2]) != ["a": 1])
        #expect(JSON.object(["a": 1]) != ["b": 1])
        #expect(JSON.int(1) != .double(1))
    }

    @Test func accessors() throws {
        let value = try JSON.parse(#"{"a":[1,2.5,"x",true,null,18446744073709551615,-1,1e999]}"#)
        #expect(value["a"]?[0]?.intValue == 1)
        #expect(value["a"]?[0]?.doubleValue == 1)
        #expect(value["a"]?[1]?.doubleValue == 2.5)
        #expect(value["a"]?[1]?.intValue == nil)
        #expect(value["a"]?[2]?.stringValue == "x")
        #expect(value["a"]?[3]?.boolValue == true)
        #expect(value["a"]?[4]?.isNull == true)
        #expect(value["a"]?[5]?.uintValue == .max)
        #expect(value["a"]?[5]?.intValue == nil)
        #expect(value["a"]?[6]?.uintValue == nil)
        #expect(value["a"]?[7]?.doubleValue == nil)
        #expect(value["a"]?[8] == nil)
        #expect(value["b"] == nil)
        #expect(value[0] == nil)
        #expect(value["a"]?["b"] == nil)
    }
}
