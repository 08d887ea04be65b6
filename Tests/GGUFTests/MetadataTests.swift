import Testing

@testable import GGUF

@Suite("Metadata")
struct MetadataTests {
    private let metadata = Metadata(everyValue + nestedValues, file: "m.gguf")

    @Test func scalars() throws {
        #expect(try metadata.string("string") == "grüße\n\u{1F600}")
        #expect(try metadata.int("uint8") == 255)
        #expect(try metadata.int("int64") == .min)
        #expect(try metadata.float("float64") == .pi)
        #expect(try metadata.float("int8") == -128)
        #expect(try metadata.bool("true") == true)
        #expect(try metadata.int("absent") == nil)
        #expect(try metadata.string("absent") == nil)
    }

    @Test func arrays() throws {
        #expect(try metadata.ints("int8s") == [-128, 127])
        #expect(try metadata.ints("int64s") == [.min, 0])
        #expect(try metadata.ints("uint8") == [255])
        #expect(try metadata.floats("float32s") == [1.5, -.infinity])
        #expect(try metadata.floats("float64") == [Float(Double.pi)])
        #expect(try metadata.bools("bools") == [true, false, true])
        #expect(try metadata.bools("false") == [false])
        #expect(try metadata.strings("strings")?.map { String(decoding: $0, as: UTF8.self) } == ["a", "", "ä"])
        #expect(try metadata.ints("absent") == nil)
    }

    struct Mismatch: CustomTestStringConvertible, Sendable {
        let message: String
        let access: @Sendable (Metadata) throws -> Void
        var testDescription: String { message }

        init(_ message: String, _ access: @escaping @Sendable (Metadata) throws -> Void) {
            (self.message, self.access) = (message, access)
        }
    }

    @Test("A wrong type or a missing key names file, key and both types", arguments: mismatches)
    func refuses(mismatch: Mismatch) {
        #expect { try mismatch.access(metadata) } throws: { "\($0)" == mismatch.message }
    }

    private static let mismatches = [
        Mismatch("m.gguf: key 'uint8': is uint8, not a string") { _ = try $0.string("uint8") },
        Mismatch("m.gguf: key 'string': is string, not an integer that fits 64 bits") { _ = try $0.int("string") },
        Mismatch("m.gguf: key 'uint64': is uint64, not an integer that fits 64 bits") { _ = try $0.int("uint64") },
        Mismatch("m.gguf: key 'bools': is array of 3 bool, not an array of integers") { _ = try $0.ints("bools") },
        Mismatch("m.gguf: key 'uint64s': is array of 1 uint64, not an array of integers") {
            _ = try $0.ints("uint64s")
        },
        Mismatch("m.gguf: key 'int8s': is array of 2 int8, not an array of floats") { _ = try $0.floats("int8s") },
        Mismatch("m.gguf: key 'string': is string, not an array of strings") { _ = try $0.strings("string") },
        Mismatch("m.gguf: key 'uint8': is uint8, not a bool") { _ = try $0.bool("uint8") },
        Mismatch("m.gguf: key 'absent': is missing") { _ = try $0.requiredInt("absent") },
        Mismatch("m.gguf: key 'absent': is missing") { _ = try $0.requiredString("absent") },
        Mismatch("m.gguf: key 'absent': is missing") { _ = try $0.requiredFloat("absent") },
    ]

    @Test func editing() {
        var metadata = Metadata([("a", .uint8(1)), ("b", .uint8(2)), ("a", .uint8(3)), ("c", .uint8(4))])
        #expect(metadata.entries.map(\.key) == ["a", "b", "c"])
        #expect(metadata["a"] == .uint8(3))
        metadata["a"] = nil
        metadata["d"] = .bool(true)
        metadata["b"] = .bool(false)
        metadata["nothing"] = nil
        #expect(metadata.entries.map(\.key) == ["b", "c", "d"])
        #expect(metadata["b"] == .bool(false))
        #expect(metadata["c"] == .uint8(4))
        #expect(metadata["a"] == nil)
    }

    @Test func stringTable() {
        let table = StringTable([[0x61], [], [0xFF, 0x62]] as [[UInt8]])
        #expect(table.count == 3)
        #expect(table.byteCount == 3)
        #expect(table.string(0) == "a")
        #expect(table.string(1).isEmpty)
        #expect(table.string(2) == "\u{FFFD}b")
        #expect(table.withBytes(2) { $0[0] } == 0xFF)
        #expect(Array(table[2]) == [0xFF, 0x62])
        #expect(StringTable([String]()).isEmpty)
        #expect(table == StringTable([[0x61], [], [0xFF, 0x62]] as [[UInt8]]))
    }
}
