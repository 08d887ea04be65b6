import Glibc
import Testing

@testable import GGUF

@Suite("Memory")
struct MappingTests {
    /// Kilobytes of the pages of `data` that are in memory as this process sees it.
    private func resident(_ data: TensorData) throws -> Int {
        let first = unsafe Int(bitPattern: data.base) / Page.size
        let last = unsafe (Int(bitPattern: data.base) + data.count - 1) / Page.size
        var entries = [UInt64](repeating: 0, count: last - first + 1)
        let size = entries.count * MemoryLayout<UInt64>.size
        let descriptor = unsafe open("/proc/self/pagemap", O_RDONLY)
        defer { close(descriptor) }
        try #require(unsafe pread(descriptor, &entries, size, first * MemoryLayout<UInt64>.size) == size)
        return entries.count { $0 >> 63 == 1 } * Page.size / 1024
    }

    private func touch(_ data: TensorData) -> Int {
        unsafe data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4096).reduce(0) { unsafe $0 + Int(bytes[$1]) }
        }
    }

    @Test func discardedPagesLeaveMemoryAndComeBack() throws {
        let folder = try TemporaryFolder()
        try folder.write(try model([1_000_000]), to: "model.gguf")
        let file = try GGUFFile.open(folder.path("model.gguf"))
        let tensor = try #require(file.tensor("t0"))
        let data = try file.read(tensor)
        let sum = touch(data)
        let whole = try resident(data)
        #expect(whole > 3900)
        // Piece by piece, as a loader goes; the pieces are no multiple of a page.
        for start in stride(from: 0, to: data.count, by: 10_000) {
            data.discard(start..<min(start + 10_000, data.count))
        }
        let rest = try resident(data)
        #expect(rest < 100)
        #expect(touch(data) == sum)
        #expect(try resident(data) == whole)
        data.discard(0..<0)
    }

    @Test func discardedPagesOfADecompressedTensorAreFreed() throws {
        let memory = try #require(AnonymousMemory(count: 1_000_000))
        unsafe memory.bytes.initializeMemory(as: UInt8.self, repeating: 7)
        let data = TensorData(memory)
        data.discard(100_000..<900_000)
        #expect(try resident(data) < 250)
        // Pages that are only partly inside stay as they are.
        #expect(unsafe data.withUnsafeBytes { unsafe $0[99_999] == 7 && $0[900_000] == 7 })
        #expect(AnonymousMemory(count: 0) == nil)
        #expect(AnonymousMemory(count: .max) == nil)
    }

    @Test func tensorsOutliveTheirFile() throws {
        let bytes = try model([64])
        let data: TensorData = try {
            let file = try GGUFFile.open(bytes)
            return try file.read(file.tensors[0])
        }()
        #expect(unsafe data.withUnsafeBytes { unsafe $0.elementsEqual(pattern(256)) })
    }
}
