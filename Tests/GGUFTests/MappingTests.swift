import Foundation
import Testing

@testable import GGUF

@Suite("Memory")
struct MappingTests {
    /// Kilobytes of the mapping around `address` that are in memory as this process sees it.
    private func resident(_ address: UnsafeRawPointer) throws -> Int {
        let maps = String(
            decoding: try #require(FileManager.default.contents(atPath: "/proc/self/smaps")), as: UTF8.self)
        let wanted = UInt(bitPattern: address)
        var inside = false
        for line in maps.split(separator: "\n") {
            if let range = line.split(separator: " ").first?.split(separator: "-"), range.count == 2,
                let start = UInt(range[0], radix: 16), let end = UInt(range[1], radix: 16)
            {
                inside = (start..<end).contains(wanted)
            } else if inside, line.hasPrefix("Rss:") {
                return try #require(Int(line.split(separator: " ")[1]))
            }
        }
        return 0
    }

    private func touch(_ data: TensorData) -> Int {
        unsafe stride(from: 0, to: data.count, by: 4096).reduce(0) { unsafe $0 + Int(data.bytes[$1]) }
    }

    @Test func discardedPagesLeaveMemoryAndComeBack() throws {
        let folder = try TemporaryFolder()
        try folder.write(try model([1_000_000]), to: "model.gguf")
        let file = try GGUFFile.open(folder.path("model.gguf"))
        let tensor = try #require(file.tensor("t0"))
        let data = try file.read(tensor)
        let sum = touch(data)
        #expect(try unsafe resident(data.base) > 3900)
        // Piece by piece, as a loader goes; the pieces are no multiple of a page.
        for start in stride(from: 0, to: data.count, by: 10_000) {
            data.discard(start..<min(start + 10_000, data.count))
        }
        #expect(try unsafe resident(data.base) < 100)
        #expect(touch(data) == sum)
        #expect(try unsafe resident(data.base) > 3900)
        data.discard(0..<0)
    }

    @Test func discardedPagesOfADecompressedTensorAreFreed() throws {
        let memory = try #require(AnonymousMemory(count: 1_000_000))
        unsafe memory.bytes.initializeMemory(as: UInt8.self, repeating: 7)
        let data = TensorData(memory)
        data.discard(100_000..<900_000)
        #expect(try unsafe resident(data.base) < 250)
        // Pages that are only partly inside stay as they are.
        #expect(unsafe data.bytes[99_999] == 7 && data.bytes[900_000] == 7)
        #expect(AnonymousMemory(count: 0) == nil)
        #expect(AnonymousMemory(count: .max) == nil)
    }

    @Test func tensorsOutliveTheirFile() throws {
        let bytes = try model([64])
        let data: TensorData = try {
            let file = try GGUFFile.open(bytes)
            return try file.read(file.tensors[0])
        }()
        #expect(unsafe data.bytes.elementsEqual(pattern(256)))
    }
}
