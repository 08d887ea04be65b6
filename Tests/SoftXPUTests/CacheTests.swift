import Foundation
import Testing

@testable import SoftXPU

@Suite struct CacheTests {
    private func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("softxpu-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    @Test func `A program is built once, by any number of processes, and again when its file is damaged`() throws {
        guard let device = SoftDevice.find() else { return }
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let cache = ["SOFTXPU_CACHE": folder.appendingPathComponent("a/b").path]
        for running in try (0..<4).map({ _ in try device.start("vadd", cache) }) {
            let result = running.finish()
            #expect(result.status == 0 && result.lines.isEmpty, "\(result.text)")
        }
        let programs = folder.appendingPathComponent("a/b")
        let names = try FileManager.default.contentsOfDirectory(atPath: programs.path)
        #expect(names.count == 1 && names[0].count == 64)
        let file = programs.appendingPathComponent(try #require(names.first))
        let original = try Data(contentsOf: file)

        #expect(try device.run("vadd", cache).status == 0)
        #expect(try Data(contentsOf: file) == original)

        for damaged in [original.prefix(original.count / 2), Data(), original + Data([0])] {
            try damaged.write(to: file)
            let result = try device.run("vadd", cache)
            #expect(result.status == 0 && result.lines.isEmpty, "\(result.text)")
            #expect(NativeBinary(Array(try Data(contentsOf: file))) != nil)
        }
    }

    @Test func `A cache that cannot be written is no error`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("vadd", ["SOFTXPU_CACHE": "/proc/nowhere"])
        #expect(result.status == 0 && result.lines.isEmpty, "\(result.text)")
    }

    @Test func `SHA-256 agrees with the standard's examples`() {
        func hex(_ text: String) -> String {
            SHA256.hash(text.utf8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}
