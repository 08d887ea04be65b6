import CPU
import CZstd
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
    private func problem(
        repack: Bool = true, change: (inout [UInt8], GGUFFile) throws -> Void,
        run: (Runtime) throws -> Void = { _ in }
    ) throws -> String {
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: ExampleModel.path)))
        try change(&bytes, GGUFFile.open(ExampleModel.path))
        let path = FileManager.default.temporaryDirectory.path + "/loading-tests-" + UUID().uuidString + ".gguf"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            let model = try Model(path: path)
            let runtime = try Runtime(
                model, try Tokenizer(model.file.metadata), on: CPUBackend(threads: 2, repack: repack),
                .init(contextLength: 64, kvFormat: .f16))
            try run(runtime)
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
        #expect(line == "FILE: tensor 'output_norm.weight' has a value that is no finite number at element 2")
    }

    @Test func weightsThatOverflowGiveAnErrorAndNoToken() throws {
        let line = try problem(
            change: { bytes, file in
                let tensor = try #require(file.tensor("output_norm.weight"))
                let huge = Float(3e38).bitPattern
                for index in 0..<tensor.byteCount {
                    bytes[tensor.offset + index] = UInt8(truncatingIfNeeded: huge >> UInt32(8 * (index % 4)))
                }
            },
            run: { runtime in
                var request = GenerationRequest(prompt: [1, 2, 3])
                request.maxNewTokens = 4
                _ = try Generator(runtime).generate(request) { _ in true }
            })
        #expect(line == "the model gave no usable logit: all are NaN or minus infinity")
    }

    @Test func anEmbeddingOfAnUncomputedTypeIsRefused() throws {
        let path = FileManager.default.temporaryDirectory.path + "/loading-tests-" + UUID().uuidString + ".gguf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let source = try GGUFFile.open(ExampleModel.path)
        let table = try #require(source.tensor("token_embd.weight"))
        // The same shape in eight-bit integers, with an output matrix of its own.
        var tensors = source.tensors.map { TensorDeclaration($0) }
        tensors.append(.init(name: "output.weight", dimensions: table.dimensions, format: .f32))
        let index = try #require(tensors.firstIndex { $0.name == table.name })
        let integers = try #require(Format.named("I8"))
        tensors[index] = .init(name: table.name, dimensions: table.dimensions, format: integers)
        let writer = try GGUFWriter(path: path, metadata: source.metadata, tensors: tensors)
        for (index, tensor) in writer.tensors.enumerated() {
            try writer.append(unsafe [UInt8](repeating: 0, count: tensor.byteCount).span.bytes, to: index)
        }
        try writer.finish()
        let model = try Model(path: path)
        #expect(throws: EngineError.self) {
            try Runtime(
                model, try Tokenizer(model.file.metadata), on: CPUBackend(threads: 1),
                .init(contextLength: 64, kvFormat: .f16))
        }
    }

    /// The embedding is read after it was repacked as the output matrix, from memory that no file backs.
    @Test func aCompressedModelTellsTheSameStory() throws {
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: ExampleModel.path)))
        var compressed = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let count = unsafe ZSTD_compress(&compressed, compressed.count, bytes, bytes.count, 1)
        #expect(ZSTD_isError(count) == 0)
        let path = FileManager.default.temporaryDirectory.path + "/loading-tests-" + UUID().uuidString + ".gguf.zst"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(compressed[..<count]).write(to: URL(fileURLWithPath: path))

        func story(_ path: String) throws -> GenerationResult {
            let model = try Model(path: path)
            let tokenizer = try Tokenizer(model.file.metadata)
            var request = GenerationRequest(
                prompt: tokenizer.encode("Once upon a time", addSpecial: true, parseSpecial: true))
            request.maxNewTokens = 30
            request.wantsLogprobs = true
            let runtime = try Runtime(
                model, tokenizer, on: CPUBackend(threads: 2), .init(contextLength: 64, kvFormat: .f16))
            return try Generator(runtime).generate(request) { _ in true }
        }
        #expect(try story(path).tokens == story(ExampleModel.path).tokens)
    }

    @Test func theSoundFileLoads() throws {
        #expect(try problem { _, _ in } == "no problem")
    }
}
