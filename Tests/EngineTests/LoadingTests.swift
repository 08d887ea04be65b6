import CPU
import Compute
import Engine
import Foundation
import GGUF
import Models
import Quant
import TestSupport
import Testing
import Tokenizer

/// What goes wrong between a sound file structure and a model that runs.
@Suite struct LoadingTests {
    /// Loads the example model with some of its bytes changed and returns the error's line.
    private func problem(repack: Bool = true, _ change: (inout [UInt8], GGUFFile) throws -> Void) throws -> String {
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: ExampleModel.path)))
        try change(&bytes, GGUFFile.open(ExampleModel.path))
        let path = FileManager.default.temporaryDirectory.path + "/loading-tests-" + UUID().uuidString + ".gguf"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            let model = try Model(path: path)
            _ = try Runtime(
                model, try Tokenizer(model.file.metadata), on: CPUBackend(threads: 2, repack: repack),
                .init(contextLength: 64, kvFormat: .f16))
            return "no problem"
        } catch {
            return "\(error)".replacingOccurrences(of: path, with: "FILE")
        }
    }

    @Test(arguments: [true, false])
    func aScaleThatIsNoNumberNamesTensorAndBlock(repack: Bool) throws {
        let line = try problem(repack: repack) { bytes, file in
            let tensor = try #require(file.tensor("blk.1.ffn_up.weight"))
            #expect(tensor.format == .q8_0)
            // Block 70's scale becomes a NaN in half precision.
            bytes[tensor.offset + 70 * tensor.format.blockBytes + 1] = 0x7e
        }
        #expect(line == "FILE: tensor 'blk.1.ffn_up.weight' has a scale that is no finite number in block 70")
    }

    @Test func aNormWeightThatIsNoNumberIsFound() throws {
        let line = try problem { bytes, file in
            let tensor = try #require(file.tensor("output_norm.weight"))
            bytes.replaceSubrange(tensor.offset + 8..<tensor.offset + 12, with: [0, 0, 0x80, 0x7f])
        }
        #expect(line == "FILE: tensor 'output_norm.weight' has a scale that is no finite number in block 2")
    }

    @Test func theSoundFileLoads() throws {
        #expect(try problem { _, _ in } == "no problem")
    }
}
