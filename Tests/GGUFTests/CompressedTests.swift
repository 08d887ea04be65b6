import Dispatch
import Fuzzing
import Synchronization
import Testing

@testable import GGUF

@Suite("Compressed files")
struct CompressedTests {
    /// Three tensors; the second large enough to be decompressed in parallel.
    private static let plain = try? model([1000, 700_000, 5000])

    /// How a file can be cut into frames.
    enum Layout: String, CaseIterable, Sendable {
        case oneFrame, oneFrameWithoutSize, manyFrames, manyFramesWithoutSize, manyFramesAfterSkippable,
            framesThenUnknownSize

        func compress(_ bytes: [UInt8]) -> [UInt8] {
            switch self {
            case .oneFrame: Compression.frame(bytes)
            case .oneFrameWithoutSize: Compression.frame(bytes, saysSize: false)
            case .manyFrames: Compression.frames(bytes, size: 100_001)
            case .manyFramesWithoutSize: Compression.frames(bytes, size: 100_001, saysSize: false)
            case .manyFramesAfterSkippable:
                Compression.skippable([9]) + Compression.frames(bytes, size: 1 << 18)
                    + Compression.skippable(pattern(100))
            case .framesThenUnknownSize:
                Compression.frames(Array(bytes.prefix(bytes.count / 2)), size: 100_001)
                    + Compression.frames(Array(bytes.dropFirst(bytes.count / 2)), size: 200_001, saysSize: false)
            }
        }
    }

    @Test("Same tensors in every layout, in any order, again and again", arguments: Layout.allCases)
    func layouts(layout: Layout) throws {
        let plain = try GGUFFile.open(#require(Self.plain))
        let bytes = try layout.compress(#require(Self.plain))
        let file = try GGUFFile.open(bytes, as: "model.gguf.zst")
        #expect(file.tensors == plain.tensors)
        #expect(file.byteCount == bytes.count)
        #expect(file.metadata.entries.map(\.key) == plain.metadata.entries.map(\.key))
        for name in ["t0", "t1", "t2", "t2", "t0", "t1"] {
            #expect(try file.bytes(name) == plain.bytes(name), "\(name)")
        }
    }

    @Test("Any number of threads give the same bytes", arguments: [1, 2, 7], [true, false])
    func threads(count: Int, saysSize: Bool) throws {
        let bytes = try #require(Self.plain)
        let tensors = try GGUFFile.open(bytes).tensors
        let frames = Compression.frames(bytes, size: 50_000, saysSize: saysSize)
        // Frames just small enough to be kept, and just too large.
        for maximum in [50_000, 49_999] {
            let file = try CompressedFile(Mapping(path: "m", copying: frames), threads: count, maximumFrame: maximum)
            for tensor in tensors + tensors.reversed() {
                let data = try file.read(tensor)
                #expect(unsafe data.withUnsafeBytes { unsafe $0.elementsEqual(bytes[tensor.range]) })
            }
        }
    }

    @Test("A broken frame breaks the tensors that need it", arguments: [true, false])
    func brokenFrame(saysSize: Bool) throws {
        let bytes = try #require(Self.plain)
        var frames = Compression.frames(bytes, size: 100_001, saysSize: saysSize)
        frames[frames.count - 3] ^= 1
        let file = try GGUFFile.open(frames, as: "model.gguf.zst")
        for _ in 0..<2 {
            #expect(throws: Never.self) { try file.bytes("t0") }
            #expect(throws: Never.self) { try file.bytes("t1") }
            let error = #expect(throws: GGUFError.self) { try file.bytes("t2") }
            #expect(error.map { "\($0)" }?.contains("t2") == true)
        }
    }

    @Test("Many readers at the same time", arguments: [Layout.oneFrame, .manyFrames])
    func concurrentReads(layout: Layout) throws {
        let plain = try model((0..<24).map { 1000 + $0 })
        let file = try GGUFFile.open(layout.compress(plain), as: "model.gguf.zst")
        let expected = try GGUFFile.open(plain)
        let wrong = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 96) { iteration in
            let name = "t\(iteration * 7 % 24)"
            let same = (try? file.bytes(name)).map { (try? expected.bytes(name)) == $0 } ?? false
            if !same { wrong.withLock { $0.append(name) } }
        }
        #expect(wrong.withLock { $0 }.isEmpty)
    }

    @Test("Cut off anywhere", arguments: Layout.allCases)
    func truncation(layout: Layout) throws {
        let plain = try model([100, 300])
        let bytes = layout.compress(plain)
        // A cut between frames leaves a valid zstd file, too short for the directory.
        for count in stride(from: 1, to: bytes.count, by: 7) where layout != .manyFramesAfterSkippable {
            #expect(failure(Array(bytes.prefix(count)), as: "model.gguf.zst") != nil, "\(count) of \(bytes.count)")
        }
    }

    @Test func everyChangedBitOfACheckedFrameIsNoticed() throws {
        let plain = try model([16, 40], metadata: [("general.architecture", .string("llama"))])
        let bytes = Compression.frame(plain)
        let expected = try GGUFFile.open(plain)
        for index in bytes.indices {
            for bit in 0..<8 {
                var broken = bytes
                broken[index] ^= 1 << bit
                guard let file = try? GGUFFile.open(broken, as: "model.gguf.zst") else { continue }
                // A bit that means nothing may change, the tensors may not.
                guard let last = try? file.bytes("t1") else { continue }
                #expect(try last == expected.bytes("t1"), "byte \(index) bit \(bit)")
            }
        }
    }

    @Test func liesAboutTheSize() throws {
        let plain = Array(try model([16], metadata: []).prefix(200))
        let frame = Compression.frame(plain)
        // Magic, descriptor, and where a frame of less than 256 bytes is one segment the size as one byte.
        #expect(frame[4] & 0xE0 == 0x20)
        #expect(Int(frame[5]) == plain.count)
        for size in [0, 1, 64, plain.count - 1, plain.count + 1, 255] {
            var lie = frame
            lie[5] = UInt8(size)
            #expect(failure(lie, as: "model.gguf.zst") != nil, "\(size)")
        }
    }

    @Test func bombs() throws {
        let zeros = [UInt8](repeating: 0, count: 256 << 20)
        let bomb = Compression.frame(zeros)
        #expect(failure(bomb, as: "bomb.zst")?.problem.hasPrefix("claims to hold 268435456 bytes in ") == true)

        // A header that never ends: a string as long as the file could be, and not a size in the frame.
        var header = SeedFile()
        header.entry("key") { file in
            file.append(UInt32(8))
            file.append(UInt64(200 << 20))
        }
        let endless = Compression.frame(header.bytes + zeros, saysSize: false)
        #expect(
            failure(endless, as: "bomb.zst")?.problem.contains("a string is 209715200 bytes long, but only") == true)

        // A tensor larger than anything these few bytes could hold.
        var tensor = SeedFile()
        tensor.tensor("t", [1 << 32], type: 0, offset: 0)
        tensor.data(64)
        let large = Compression.frame(tensor.bytes, saysSize: false)
        #expect(failure(large, as: "bomb.zst")?.problem.contains("ends after the file's") == true)

        // A size in the frame's header that its bytes cannot hold: eight bytes of size in place of one.
        var frame = Compression.frame(Seeds.files[0].bytes)
        frame[4] |= 0xC0
        frame.replaceSubrange(5...5, with: [0, 0, 0, 0, 0, 1, 0, 0])
        let problem = failure(frame, as: "bomb.zst")?.problem
        #expect(
            problem?.contains("says that it holds 1099511627776 bytes, which \(frame.count) compressed bytes cannot")
                == true)
    }

    @Test func nothingInside() {
        #expect(
            failure(Compression.skippable([1, 2]))
                == GGUFError(file: "model.gguf", problem: "is compressed and holds nothing"))
        #expect(failure(Compression.frame(pattern(100)))?.problem.contains("is not a GGUF file") == true)
    }
}
