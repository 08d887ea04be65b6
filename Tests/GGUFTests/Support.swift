import Foundation
import Fuzzing
import Quant
import TestSupport

@testable import GGUF

/// A folder that goes away with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/gguf-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { path + "/" + name }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path(name))) }

    func read(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(name)))) }
}

extension GGUFFile {
    /// A file of these bytes alone.
    static func open(_ bytes: [UInt8], as path: String = "model.gguf") throws(GGUFError) -> GGUFFile {
        try open(path, in: [path: bytes])
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard let tensor = tensor(name) else { throw GGUFError(file: path, place: .tensor(name), problem: "not found") }
        return try unsafe read(tensor).withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

/// What opening these bytes and reading all tensors fails with.
func failure(_ bytes: [UInt8], as path: String = "model.gguf") -> GGUFError? {
    do throws(GGUFError) {
        let file = try GGUFFile.open(bytes, as: path)
        for tensor in file.tensors { _ = try file.read(tensor) }
        return nil
    } catch {
        return error
    }
}

/// A value of every type.
let everyValue: [(String, Metadata.Value)] = [
    ("general.architecture", .string("llama")),
    ("uint8", .uint8(255)), ("int8", .int8(-128)), ("uint16", .uint16(65535)), ("int16", .int16(-32768)),
    ("uint32", .uint32(.max)), ("int32", .int32(.min)), ("uint64", .uint64(.max)), ("int64", .int64(.min)),
    ("float32", .float32(-0.1)), ("float64", .float64(.pi)), ("true", .bool(true)), ("false", .bool(false)),
    ("empty string", .string("")), ("string", .string("grüße\n\u{1F600}")),
    ("uint8s", .array(.uint8([0, 255]))), ("int8s", .array(.int8([-128, 127]))),
    ("uint16s", .array(.uint16([1, 65535]))), ("int16s", .array(.int16([-1]))),
    ("uint32s", .array(.uint32([.max, 0, 7]))), ("int32s", .array(.int32([.min, .max]))),
    ("uint64s", .array(.uint64([.max]))), ("int64s", .array(.int64([.min, 0]))),
    ("float32s", .array(.float32([1.5, -.infinity]))), ("float64s", .array(.float64([0.1]))),
    ("bools", .array(.bool([true, false, true]))), ("strings", .array(.strings(["a", "", "ä"]))),
    ("bytes", .array(.strings(StringTable([[0xFF, 0x00], [], [0x80] as [UInt8]])))),
    ("empty", .array(.float32([]))), ("no strings", .array(.strings([]))),
]

/// Arrays of arrays, which not all readers know.
let nestedValues: [(String, Metadata.Value)] = [
    (
        "nested",
        .array(.arrays([.int32([1, 2]), .strings(["x"]), .arrays([.bool([true]), .arrays([])])]))
    )
]

/// Bytes that differ from place to place.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 + seed) &* 2_654_435_761 >> 13) }
}

/// A model with `counts.count` F32 tensors of so many elements, named `t0`, `t1` …, filled with ``pattern(_:seed:)``.
func model(_ counts: [Int], metadata: [(String, Metadata.Value)] = everyValue) throws -> [UInt8] {
    let declarations = counts.enumerated().map { TensorDeclaration(name: "t\($0)", dimensions: [$1], format: .f32) }
    let header = try EncodedHeader(metadata: Metadata(metadata), tensors: declarations)
    var bytes = header.bytes
    for (index, tensor) in header.tensors.enumerated() {
        bytes.append(contentsOf: repeatElement(0, count: tensor.offset - bytes.count))
        bytes.append(contentsOf: pattern(tensor.byteCount, seed: index))
    }
    return bytes
}
