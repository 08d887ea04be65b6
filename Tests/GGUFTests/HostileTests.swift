import Fuzzing
import Quant
import Testing

@testable import GGUF

/// A file that must be refused, and a part of the line that says why.
struct HostileFile: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]
    let message: String
    var testDescription: String { name }

    init(_ name: String, _ message: String, bytes: [UInt8]) {
        (self.name, self.message, self.bytes) = (name, message, bytes)
    }

    init(_ name: String, _ message: String, _ file: SeedFile) { self.init(name, message, bytes: file.bytes) }

    init(_ name: String, _ message: String, build: (inout SeedFile) -> Void) {
        var file = SeedFile()
        build(&file)
        self.init(name, message, file)
    }
}

@Suite("Hostile files")
struct HostileTests {
    @Test("Header", arguments: HostileFile.header)
    func header(file: HostileFile) { check(file) }

    @Test("Metadata", arguments: HostileFile.metadata)
    func metadata(file: HostileFile) { check(file) }

    @Test("Tensor directory", arguments: HostileFile.directory)
    func directory(file: HostileFile) { check(file) }

    @Test("Published vulnerabilities of other readers", arguments: HostileFile.vulnerabilities)
    func vulnerabilities(file: HostileFile) { check(file) }

    @Test("Cut off anywhere", arguments: Seeds.files.indices)
    func truncation(index: Int) throws {
        let bytes = Seeds.files[index].bytes
        let tensors = try GGUFFile.open(bytes).tensors
        let end = tensors.map(\.range.upperBound).max() ?? bytes.count
        for count in 0..<end {
            let line = failure(Array(bytes.prefix(count)))?.description
            #expect(line?.hasPrefix("model.gguf: ") == true, "\(count) of \(bytes.count): \(line ?? "opens")")
        }
        #expect(failure(Array(bytes.prefix(end))) == nil)
    }

    private func check(_ file: HostileFile) {
        let line = failure(file.bytes)?.description ?? "opens"
        #expect(line.hasPrefix("model.gguf: ") && line.contains(file.message), "\(line)")
        #expect(!line.contains("\n"))
    }

}

extension HostileFile {
    static let header: [HostileFile] = [
        HostileFile("text", "byte 0: is not a GGUF file: it starts with 0x68656c6c", bytes: Array("hello".utf8)),
        HostileFile("ZIP archive", "is not a GGUF file but a ZIP archive", bytes: [0x50, 0x4B, 3, 4, 0, 0]),
        HostileFile("GGJT", "a GGJT file, older than GGUF", bytes: Array("tjgg".utf8)),
        HostileFile(
            "three bytes", "the file ends inside the magic number: 4 bytes needed, 3 left", bytes: Array("GGU".utf8)),
        HostileFile("version 0", "byte 4: GGUF version 0 is not supported, only 2 and 3", SeedFile(version: 0)),
        HostileFile("version 1", "byte 4: GGUF version 1 is not supported: convert the file", SeedFile(version: 1)),
        HostileFile("version 4", "GGUF version 4 is not supported", SeedFile(version: 4)),
        HostileFile("big-endian", "byte 4: the file is big-endian", SeedFile(version: 0x0300_0000)),
        HostileFile("big-endian magic", "a big-endian GGUF file", SeedFile(magic: 0x4747_5546)),
        HostileFile(
            "no counts", "byte 8: the file ends inside the number of tensors", bytes: Array(SeedFile().bytes.prefix(8))),
        HostileFile(
            "more tensors than fit", "byte 8: the number of tensors is 1, but the file has room for 0",
            SeedFile(tensors: 1)),
        HostileFile(
            "more tensors than a number", "the number of tensors is 18446744073709551615, but", SeedFile(tensors: .max)),
        HostileFile(
            "more entries than fit", "byte 16: the number of metadata entries is 1000, but the file has room for 0",
            SeedFile(entries: 1000)),
        HostileFile(
            "more entries than allowed", "the number of metadata entries is 65537, more than 65536",
            bytes: SeedFile(entries: 65537).bytes + [UInt8](repeating: 0, count: 65537 * 13)),
        HostileFile(
            "more tensors than allowed", "the number of tensors is 131073, more than 131072",
            bytes: SeedFile(tensors: 131_073).bytes + [UInt8](repeating: 0, count: 131_073 * 32)),
    ]

    static let metadata: [HostileFile] = [
        HostileFile("empty key", "byte 24: a key is 0 bytes long, not 1 to 65535") {
            $0.entry("") { $0.string("value") }
        },
        HostileFile("long key", "byte 24: a key is 65536 bytes long") {
            $0.entry(String(repeating: "k", count: 65536)) { $0.string("v") }
        },
        HostileFile("key past the end", "byte 24: a key is 100 bytes long, but only 15 are left") { file in
            file.entry("") { file in
                file.append(UInt32(0))
                file.append(UInt64(0))
                file.append([1, 2])
            }
            file = file.replacing(24, with: 100).prefix(47)
        },
        HostileFile("key that is not UTF-8", "byte 24: a key is not UTF-8") { file in
            file.entry("ab") { $0.string("v") }
            file = file.replacing(32, with: 0xFF)
        },
        HostileFile("key twice", "key 'a' at byte 41: occurs twice") { file in
            for _ in 0..<2 { file.entry("a") { $0.scalar(4, UInt32(0)) } }
        },
        HostileFile("unknown value type", "key 'a' at byte 33: the value type 13 is unknown") {
            $0.entry("a") { $0.scalar(13, UInt8(0)) }
        },
        HostileFile("unknown element type", "key 'a' at byte 37: the element type 255 is unknown") {
            $0.entry("a") { $0.array(255, count: 1) { $0.append(UInt64(0)) } }
        },
        HostileFile("value past the end", "key 'a' at byte 37: the file ends inside a value: 8 bytes needed, 4 left") {
            $0.entry("a") { $0.scalar(10, UInt32(0)) }
        },
        HostileFile(
            "string past the end",
            "key 'a' at byte 37: a string is 18446744073709551615 bytes long, but only 8 are left"
        ) {
            $0.entry("a") { file in
                file.scalar(8, UInt64.max)
                file.append(UInt64(0))
            }
        },
        HostileFile(
            "array past the end", "key 'a' at byte 41: the array length is 3, but the file has room for 2 at most"
        ) {
            $0.entry("a") { $0.array(4, count: 3) { file in for _ in 0..<2 { file.append(UInt32(0)) } } }
        },
        HostileFile("array length that overflows", "key 'a' at byte 41: the array length is 2305843009213693953, but") {
            $0.entry("a") { $0.array(10, count: (1 << 61) + 1) { $0.append(UInt64(0)) } }
        },
        HostileFile(
            "string of an array past the end", "key 'a' at byte 58: a string is 9 bytes long, but only 8 are left"
        ) {
            $0.entry("a") { file in
                file.array(8, count: 2) { file in
                    file.append("x")
                    file.append(UInt64(9))
                    file.append(UInt64(0))
                }
            }
        },
        HostileFile("arrays without end", "key 'a' at byte 133: arrays are nested more than 8 deep") {
            $0.entry("a") { file in
                file.append(UInt32(9))
                for _ in 0..<1000 {
                    file.append(UInt32(9))
                    file.append(UInt64(1))
                }
            }
        },
        HostileFile("control characters in a key", "key 'a\\u{a}\\u{1b}[31m' at byte") {
            $0.entry("a\n\u{1B}[31m") { $0.scalar(99, UInt8(0)) }
        },
        HostileFile("alignment 0", "key 'general.alignment': is 0, not a power of two") {
            $0.entry("general.alignment") { $0.scalar(4, UInt32(0)) }
        },
        HostileFile("alignment 24", "key 'general.alignment': is 24, not a power of two") {
            $0.entry("general.alignment") { $0.scalar(4, UInt32(24)) }
        },
        HostileFile("alignment of 2 GiB", "key 'general.alignment': is 2147483648, not a power of two up to 1048576") {
            $0.entry("general.alignment") { $0.scalar(4, UInt32(1) << 31) }
        },
        HostileFile("alignment -32", "key 'general.alignment': is -32") {
            $0.entry("general.alignment") { $0.scalar(5, Int32(-32)) }
        },
        HostileFile("alignment that is text", "key 'general.alignment': is string, not an integer") {
            $0.entry("general.alignment") { $0.string("32") }
        },
        HostileFile("split count", "key 'split.count': is 70000, not 1 to 65535") {
            $0.entry("split.count") { $0.scalar(4, UInt32(70000)) }
        },
    ]

    static let directory: [HostileFile] = [
        HostileFile("empty name", "byte 24: a tensor name is 0 bytes long") { file in
            file.tensor("", [8], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile("name twice", "tensor 'a' at byte 57: occurs twice") { file in
            for offset in [0, 32] { file.tensor("a", [8], type: 0, offset: UInt64(offset)) }
            file.data(64)
        },
        HostileFile("no dimensions", "tensor 'a' at byte 24: has 0 dimensions, not 1 to 4") { file in
            file.tensor("a", [], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile("five dimensions", "tensor 'a' at byte 24: has 5 dimensions, not 1 to 4") { file in
            file.tensor("a", [1, 1, 1, 1, 1], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile("dimension 0", "tensor 'a' at byte 24: dimension 1 is 0") { file in
            file.tensor("a", [8, 0], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile("negative dimension", "tensor 'a' at byte 24: dimension 0 is 18446744073709551615, which overflows")
        { file in
            file.tensor("a", [.max], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile(
            "product of dimensions",
            "tensor 'a' at byte 24: the product of dimensions [4294967296, 4294967296] overflows"
        ) { file in
            file.tensor("a", [1 << 32, 1 << 32], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile("size", "tensor 'a' at byte 24: the size of [4611686018427387904] in F32 overflows") { file in
            file.tensor("a", [1 << 62], type: 0, offset: 0)
            file.data(32)
        },
        HostileFile("unknown type", "tensor 'a' at byte 24: has the unknown type 1000") { file in
            file.tensor("a", [8], type: 1000, offset: 0)
            file.data(32)
        },
        HostileFile("type that was removed", "tensor 'a' at byte 24: has the unknown type 4") { file in
            file.tensor("a", [32], type: 4, offset: 0)
            file.data(64)
        },
        HostileFile(
            "rows that are no blocks", "tensor 'a' at byte 24: rows of 33 are no multiple of the 32 of a Q8_0 block"
        ) { file in
            file.tensor("a", [33, 32], type: 8, offset: 0)
            file.data(2000)
        },
        HostileFile(
            "data past the end", "tensor 'a' at byte 24: its data, bytes 64 to 96, ends after the file's 95 bytes"
        ) { file in
            file.tensor("a", [8], type: 0, offset: 0)
            file.data(31)
        },
        HostileFile("no data", "ends after the file's 57 bytes") { $0.tensor("a", [8], type: 0, offset: 0) },
        HostileFile("offset past the end", "its data, bytes 4096 to 4128, ends after") { file in
            file.tensor("a", [8], type: 0, offset: 4032)
            file.data(32)
        },
        HostileFile("offset that overflows", "tensor 'a' at byte 24: its end overflows") { file in
            file.tensor("a", [8], type: 0, offset: (1 << 63) - 32)
            file.data(32)
        },
        HostileFile("negative offset", "tensor 'a' at byte 24: its offset 18446744073709551584 overflows") { file in
            file.tensor("a", [8], type: 0, offset: .max - 31)
            file.data(32)
        },
        HostileFile("misaligned", "tensor 'b' at byte 57: its offset 36 is no multiple of the alignment 32") { file in
            file.tensor("a", [8], type: 0, offset: 0)
            file.tensor("b", [1], type: 0, offset: 36)
            file.data(64)
        },
        HostileFile("overlap", "tensor 'b': its data at byte 128 overlaps tensor 'a', which ends at 160") { file in
            file.tensor("a", [16], type: 0, offset: 0)
            file.tensor("b", [16], type: 0, offset: 32)
            file.data(96)
        },
        HostileFile("same data", "overlaps tensor 'a'") { file in
            file.tensor("a", [8], type: 0, offset: 0)
            file.tensor("b", [8], type: 0, offset: 0)
            file.data(64)
        },
    ]
}

extension SeedFile {
    /// A copy with one byte changed.
    func replacing(_ offset: Int, with byte: UInt8) -> SeedFile { edited { $0[offset] = byte } }
    /// A copy of the first bytes.
    func prefix(_ count: Int) -> SeedFile { edited { $0 = Array($0.prefix(count)) } }
}
