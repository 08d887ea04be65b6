import Foundation
import Fuzzing
import Quant
import Testing

@testable import GGUF

@Suite("Written and read again")
struct RoundTripTests {
    @Test func writesNoFileInThePlaceOfAPipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("pipe")
        #expect(unsafe mkfifo(path, 0o600) == 0)
        for path in [path, folder.path(".")] {
            let error = #expect(throws: GGUFError.self) {
                _ = try GGUFWriter(path: path, metadata: Metadata([]), tensors: [])
            }
            #expect(error?.problem == "exists and is not a regular file")
        }
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test("Every metadata type, in order", arguments: [2, 3] as [UInt32])
    func metadata(version: UInt32) throws {
        let entries = everyValue + nestedValues
        let header = try EncodedHeader(metadata: Metadata(entries), tensors: [], version: version)
        let file = try GGUFFile.open(header.bytes)
        #expect(file.version == version)
        #expect(file.metadata.entries.map(\.key) == entries.map(\.0))
        for (key, value) in entries { #expect(file.metadata[key] == value) }
        #expect(file.tensors.isEmpty)
        #expect(file.byteCount == header.bytes.count)
    }

    @Test("Tensors of every format through a file", arguments: [8, 32, 4096] as [UInt32])
    func tensors(alignment: UInt32) throws {
        let folder = try TemporaryFolder()
        let declarations = Format.all.flatMap { format in
            [[2], [1, 3], [3, 1, 2], [1, 2, 1, 2]].enumerated().map { index, shape in
                TensorDeclaration(
                    name: "\(format).\(index)", dimensions: [shape[0] * format.blockLength] + shape.dropFirst(),
                    format: format)
            }
        }
        let path = folder.path("model.gguf")
        let metadata = Metadata(everyValue + [("general.alignment", .uint32(alignment))])
        let writer = try GGUFWriter(path: path, metadata: metadata, tensors: declarations)
        for (index, tensor) in writer.tensors.enumerated() {
            // In pieces of any size.
            var rest = pattern(tensor.byteCount, seed: index)[...]
            while !rest.isEmpty {
                let piece = [UInt8](rest.prefix(7 + index * 13))
                try unsafe writer.append(piece.span.bytes, to: index)
                rest = rest.dropFirst(piece.count)
            }
        }
        #expect(folder.names.count == 1 && folder.names[0] != "model.gguf")
        try writer.finish()
        #expect(folder.names == ["model.gguf"])

        let file = try GGUFFile.open(path)
        #expect(file.tensors == writer.tensors)
        #expect(file.byteCount.isMultiple(of: Int(alignment)))
        for (index, tensor) in file.tensors.enumerated() {
            #expect(tensor.offset.isMultiple(of: Int(alignment)))
            #expect(file.tensor(tensor.name) == tensor)
            #expect(TensorDeclaration(tensor) == declarations[index])
            #expect(try file.bytes(tensor.name) == pattern(tensor.byteCount, seed: index))
        }
        #expect(file.tensor("nothing") == nil)
    }

    @Test func largePieces() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("model.gguf")
        let declarations = [1_000_000, 3].map { TensorDeclaration(name: "t\($0)", dimensions: [$0], format: .f32) }
        let writer = try GGUFWriter(path: path, metadata: Metadata([]), tensors: declarations)
        for (index, tensor) in writer.tensors.enumerated() {
            let bytes = pattern(tensor.byteCount)
            try unsafe writer.append(bytes.span.bytes, to: index)
        }
        try writer.finish()
        #expect(try GGUFFile.open(path).bytes("t1000000") == pattern(4_000_000))
        #expect(try GGUFFile.open(path).bytes("t3") == pattern(12))
    }

    @Test func seedsOfTheFuzzerAreValid() throws {
        for seed in Seeds.files {
            let file = try GGUFFile.open(seed.bytes)
            for tensor in file.tensors { #expect(try file.bytes(tensor.name).count == tensor.byteCount) }
        }
    }
}

@Suite("Writer")
struct WriterTests {
    private let tensors = [
        TensorDeclaration(name: "a", dimensions: [4], format: .f32),
        TensorDeclaration(name: "b", dimensions: [2], format: .f32),
    ]

    private func problem(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func leavesNothingUnlessFinished() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("model.gguf")
        try folder.write([1, 2, 3], to: "model.gguf")
        var writer: GGUFWriter? = try GGUFWriter(path: path, metadata: Metadata([]), tensors: tensors)
        try unsafe writer?.append(pattern(16).span.bytes, to: 0)
        writer = nil
        #expect(folder.names == ["model.gguf"])
        #expect(try folder.read("model.gguf") == [1, 2, 3])
    }

    @Test func refusesWrongOrderAndSize() throws {
        let folder = try TemporaryFolder()
        let writer = try GGUFWriter(path: folder.path("m"), metadata: Metadata([]), tensors: tensors)
        let bytes = pattern(24)
        #expect(
            problem { try unsafe writer.append(bytes.span.bytes, to: 1) }?.contains("out of order: 'a' is not complete")
                == true)
        #expect(
            problem { try unsafe writer.append(bytes.span.bytes, to: 0) }?.contains("gets 24 bytes, but only 16")
                == true)
        #expect(problem { try writer.finish() }?.contains("tensor 'a': is not complete") == true)
    }

    @Test func refusesWhatTheReaderWouldRefuse() {
        func problem(_ metadata: [(String, Metadata.Value)], _ tensors: [TensorDeclaration]) -> String? {
            self.problem { _ = try EncodedHeader(metadata: Metadata(metadata), tensors: tensors) }
        }
        #expect(problem([], tensors + tensors)?.contains("occurs twice") == true)
        #expect(problem([("", .bool(true))], [])?.contains("0 bytes long") == true)
        #expect(problem([("general.alignment", .uint32(12))], [])?.contains("power of two") == true)
        #expect(
            problem([], [TensorDeclaration(name: "a", dimensions: [33], format: .q8_0)])?.contains("Q8_0 block") == true
        )
        #expect(
            problem([], [TensorDeclaration(name: "a", dimensions: [], format: .f32)])?.contains("0 dimensions") == true)
        #expect(
            problem([], [TensorDeclaration(name: "a", dimensions: [.max, 2], format: .f32)])?.contains("overflows")
                == true)
    }

    @Test func namesFileAndCause() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path("no/model.gguf")
        #expect(
            problem { _ = try GGUFWriter(path: missing, metadata: Metadata([]), tensors: []) }
                == "\(missing): cannot create: No such file or directory")
        // A device that is always full, under a name that cannot be removed.
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let path = folder.path("model.gguf")
        let text = problem {
            let writer = try GGUFWriter(
                path: path, temporary: "/proc/self/fd/\(full.fileDescriptor)", metadata: Metadata([]), tensors: tensors)
            try unsafe writer.append(pattern(16).span.bytes, to: 0)
            try unsafe writer.append(pattern(8).span.bytes, to: 1)
            try writer.finish()
        }
        #expect(text == "\(path): cannot write: No space left on device")
        #expect(folder.names.isEmpty)
    }
}
