import Foundation
import TestSupport
import Testing

@testable import GGUF

@Suite("Real files")
struct RealFileTests {
    @Test func vocabularies() throws {
        guard let folder = TestData.path("data/vocab") else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".gguf") }
        #expect(names.count > 5)
        for name in names {
            let clock = ContinuousClock()
            var file: GGUFFile?
            let time = try clock.measure { file = try GGUFFile.open(folder + "/" + name) }
            let metadata = try #require(file).metadata
            let tokens = try #require(try metadata.strings("tokenizer.ggml.tokens"))
            print(name, tokens.count, time)
        }
    }

    @Test func stories() throws {
        guard let path = TestData.path("models/stories260K.gguf") else { return }
        let file = try GGUFFile.open(path)
        let norm = try #require(file.tensor("output_norm.weight"))
        let data = try file.read(norm)
        #expect(data.count == norm.byteCount)
        data.discard(0..<data.count)
        #expect(unsafe data.bytes.contains { $0 != 0 })
    }
}
