import Foundation
import Quant
import TestSupport
import Testing

@testable import GGUF

@Suite("Real files")
struct RealFileTests {
    @Test("All models and vocabularies open", arguments: ["models", "data/vocab"])
    func folders(name: String) throws {
        guard let folder = TestData.path(name) else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".gguf") }
        #expect(names.count >= 9)
        for name in names {
            let file = try GGUFFile.open(folder + "/" + name)
            #expect(try file.metadata.requiredString("general.architecture").isEmpty == false, "\(name)")
            #expect(try file.metadata.strings("tokenizer.ggml.tokens")?.isEmpty == false, "\(name)")
            for tensor in file.tensors { #expect(try file.read(tensor).count == tensor.byteCount, "\(name)") }
        }
    }

    @Test(
        "The same as Python reads",
        arguments: ["models/stories260K.gguf", "models/llama-k-Q4_K_M.gguf", "data/vocab/ggml-vocab-llama-bpe.gguf"])
    func reference(name: String) throws {
        guard let path = TestData.path(name), let expected = try pythonListing(path) else { return }
        #expect(try listing(GGUFFile.open(path)) == expected)
    }

    @Test func pythonReadsWhatIsWritten() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("model.gguf")
        let writer = try GGUFWriter(
            path: path, metadata: Metadata(everyValue + [("general.alignment", .uint32(64))]),
            tensors: [
                TensorDeclaration(name: "a", dimensions: [3], format: .f32),
                TensorDeclaration(name: "b", dimensions: [256, 2, 3], format: .q4_k),
            ])
        for (index, tensor) in writer.tensors.enumerated() {
            try unsafe writer.append(pattern(tensor.byteCount).span.bytes, to: index)
        }
        try writer.finish()
        guard let expected = try pythonListing(path) else { return }
        // The package keeps no type of the elements of an empty array.
        let ours = try listing(GGUFFile.open(path))
        #expect(
            ours.filter { !$0.contains("empty") && !$0.contains("no strings") }
                == expected.filter { !$0.contains("empty") && !$0.contains("no strings") })
        #expect(ours.count == everyValue.count + 3)
    }

    private func listing(_ file: GGUFFile) throws -> [String] {
        let keys = file.metadata.entries.map { key, value in "key \(key) \(types(value)) \(adler32(encoded(value)))" }
        let tensors = try file.tensors.map { tensor in
            let shape = tensor.dimensions.map { "\($0)" }.joined(separator: "x")
            return
                "tensor \(tensor.name) \(shape) \(tensor.format) \(tensor.offset) \(adler32(try file.bytes(tensor.name)))"
        }
        return keys + tensors
    }

    private func pythonListing(_ path: String) throws -> [String]? {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/reference.py"
        let folder = try TemporaryFolder()
        guard try Python.run([script, path, folder.path("listing")]) != nil else { return nil }
        return String(decoding: try folder.read("listing"), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func types(_ value: Metadata.Value) -> String {
        if case .array(let array) = value { "array.\(array.elementType)" } else { "\(value.type)" }
    }

    /// The value's bytes in the file, without type and count.
    private func encoded(_ value: Metadata.Value) -> [UInt8] {
        func raw<T: BitwiseCopyable>(_ values: [T]) -> [UInt8] { unsafe values.withUnsafeBytes { unsafe [UInt8]($0) } }
        return switch value {
        case .uint8(let value): raw([value])
        case .int8(let value): raw([value])
        case .uint16(let value): raw([value])
        case .int16(let value): raw([value])
        case .uint32(let value): raw([value])
        case .int32(let value): raw([value])
        case .uint64(let value): raw([value])
        case .int64(let value): raw([value])
        case .float32(let value): raw([value])
        case .float64(let value): raw([value])
        case .bool(let value): raw([value])
        case .string(let value): StringTable([value]).encoded
        case .array(.uint8(let values)): raw(values)
        case .array(.int8(let values)): raw(values)
        case .array(.uint16(let values)): raw(values)
        case .array(.int16(let values)): raw(values)
        case .array(.uint32(let values)): raw(values)
        case .array(.int32(let values)): raw(values)
        case .array(.uint64(let values)): raw(values)
        case .array(.int64(let values)): raw(values)
        case .array(.float32(let values)): raw(values)
        case .array(.float64(let values)): raw(values)
        case .array(.bool(let values)): raw(values)
        case .array(.strings(let values)): values.encoded
        case .array(.arrays): []
        }
    }

    private func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }
}
