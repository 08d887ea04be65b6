import Fuzzing
import Testing

@testable import GGUF

@Suite("Models in several files")
struct SplitTests {
    private static let paths = (0..<3).map { Seeds.shardPath($0) }
    private var files: [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: zip(Self.paths, Seeds.shards.map(\.bytes)))
    }

    private func shard(_ number: Int, count: Int = 3, tensors: Int = 3, name: String = "t") -> [UInt8] {
        var file = SeedFile()
        file.entry("split.no") { $0.scalar(2, UInt16(number)) }
        file.entry("split.count") { $0.scalar(2, UInt16(count)) }
        file.entry("split.tensors.count") { $0.scalar(5, Int32(tensors)) }
        file.tensor("\(name)", [1], type: 0, offset: 0)
        file.data(4)
        return file.bytes
    }

    private func problem(_ files: [String: [UInt8]], path: String = paths[0]) -> String? {
        do throws(GGUFError) {
            _ = try GGUFFile.open(path, in: files)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func tensorsOfAllFiles() throws {
        let file = try GGUFFile.open(Self.paths[0], in: files)
        #expect(file.tensors.map(\.name) == ["blk.0.weight", "blk.1.weight", "blk.2.weight"])
        #expect(file.tensors.map(\.shard) == [0, 1, 2])
        #expect(file.byteCount == files.values.reduce(0) { $0 + $1.count })
        #expect(try file.metadata.string("general.architecture") == "llama")
        for (tensor, seed) in zip(file.tensors, Seeds.shards) {
            #expect(try file.bytes(tensor.name) == Array(seed.bytes.suffix(16)))
        }
    }

    @Test func compressedFilesOfASplit() throws {
        let compressed = Dictionary(
            uniqueKeysWithValues: files.map { ($0.key + ".zst", Compression.frame($0.value)) })
        let file = try GGUFFile.open(Self.paths[0] + ".zst", in: compressed)
        for (tensor, seed) in zip(file.tensors, Seeds.shards) {
            #expect(try file.bytes(tensor.name) == Array(seed.bytes.suffix(16)))
        }
    }

    @Test func aSplitOfOneIsAPlainFile() throws {
        let file = try GGUFFile.open(shard(0, count: 1, tensors: 1), as: "anything.gguf")
        #expect(file.tensors.count == 1)
    }

    @Test func mistakes() {
        let names = Self.paths
        #expect(
            problem(files, path: names[1])
                == "\(names[1]): key 'split.no': says file 2 of 3: open the first file of the model")
        #expect(
            problem(["m.gguf": files[names[0]]!], path: "m.gguf")
                == "m.gguf: key 'split.count': is 3, but the file's name does not end in -00001-of-00003.gguf")
        #expect(
            problem(["m-00001-of-00002.gguf": files[names[0]]!], path: "m-00001-of-00002.gguf")
                == "m-00001-of-00002.gguf: key 'split.count': is 3, but the file's name says file 1 of 2")
        var broken = files
        broken[names[2]] = nil
        #expect(problem(broken) == "\(names[2]): does not exist")
        broken[names[2]] = files[names[1]]
        #expect(problem(broken) == "\(names[2]): key 'split.no': is 1, but the file's name says 2")
        broken[names[2]] = shard(2, count: 4)
        #expect(problem(broken) == "\(names[2]): key 'split.count': is 4, but 3 in the first file")
        broken[names[2]] = SeedFile().bytes
        #expect(problem(broken) == "\(names[2]): key 'split.no': is missing")
        broken[names[2]] = shard(2, name: "blk.0.weight")
        #expect(problem(broken) == "\(names[2]): tensor 'blk.0.weight': occurs in an earlier file of the model too")
        broken = [
            names[0]: shard(0, tensors: 4, name: "a"), names[1]: shard(1, name: "b"), names[2]: shard(2, name: "c"),
        ]
        #expect(problem(broken) == "\(names[0]): key 'split.tensors.count': is 4, but the files have 3 tensors")
    }

    @Test(
        "Names",
        arguments: [
            ("a/m-00001-of-00003.gguf", 0, 3), ("m-x-00012-of-00100.gguf.zst", 11, 100),
        ])
    func names(path: String, number: Int, count: Int) throws {
        let name = try #require(Split.parse(path))
        #expect(name.number == number)
        #expect(name.count == count)
    }

    @Test(
        "Names that are none",
        arguments: [
            "m.gguf", "m-1-of-3.gguf", "m-00000-of-00003.gguf", "m-00001-of-00003.bin", "-00001-of-00003",
            "m-0000x-of-00003.gguf",
        ])
    func otherNames(path: String) { #expect(Split.parse(path) == nil) }
}

@Suite("Folders")
struct FolderTests {
    @Test func theOneModel() throws {
        let folder = try TemporaryFolder()
        #expect(throws: GGUFError(file: folder.path, problem: "holds no .gguf or .gguf.zst file")) {
            try GGUFFile.open(folder.path)
        }
        for (number, seed) in Seeds.shards.enumerated() { try folder.write(seed.bytes, to: Seeds.shardPath(number)) }
        try folder.write([0], to: "mmproj-model.gguf")
        try folder.write([0], to: "README.md")
        #expect(try GGUFFile.open(folder.path).tensors.count == 3)
        #expect(try GGUFFile.open(folder.path + "/").path == folder.path + "/" + Seeds.shardPath(0))
        try folder.write(Seeds.files[0].bytes, to: "other.gguf")
        #expect { try GGUFFile.open(folder.path) } throws: {
            "\($0)".contains("holds several models, name one: model-00001-of-00003.gguf, other.gguf")
        }
    }

    @Test func whatIsNoFile() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path("none.gguf")
        #expect(throws: GGUFError(file: missing, problem: "cannot open: No such file or directory")) {
            try GGUFFile.open(missing)
        }
        try folder.write([], to: "empty.gguf")
        #expect(throws: GGUFError(file: folder.path("empty.gguf"), problem: "is empty")) {
            try GGUFFile.open(folder.path("empty.gguf"))
        }
        #expect(throws: GGUFError(file: "/dev/null", problem: "is not a regular file")) {
            try GGUFFile.open("/dev/null")
        }
    }
}
