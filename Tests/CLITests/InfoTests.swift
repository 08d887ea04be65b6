import Foundation
import JSON
import TestSupport
import Testing

@Suite struct InfoTests {
    @Test func showsMetadataTypesAndMemory() throws {
        let result = try Command.run("info", "-m", ExampleModel.path, "--tensors")
        expectSuccess(result)
        for word in ["general.architecture", "llama: Llama 1–3.x", "\"llama\"", "token_embd.weight", "KV cache"] {
            #expect(result.text.contains(word))
        }
        #expect(result.text.split(separator: "\n").allSatisfy { $0.count < 400 }, "long values are abbreviated")
    }

    @Test func jsonIsWhole() throws {
        let json = try Command.run("info", "-m", ExampleModel.path, "--json", "--tensors").json
        let metadata = try #require(json["metadata"])
        #expect(metadata["general.architecture"]?.stringValue == "llama")
        let tokens = try #require(metadata["tokenizer.ggml.tokens"]?.arrayValue)
        let tensors = try #require(json["tensors"]?.arrayValue)
        let embedding = try #require(tensors.first { $0["name"]?.stringValue == "token_embd.weight" })
        #expect(embedding["shape"]?[1]?.intValue == tokens.count)
        let types = try #require(json["types"]?.arrayValue)
        #expect(types.reduce(0) { $0 + ($1["tensors"]?.intValue ?? 0) } == tensors.count)
        #expect(
            types.reduce(0) { $0 + ($1["bytes"]?.intValue ?? 0) }
                == tensors.reduce(0) { $0 + ($1["bytes"]?.intValue ?? 0) })
    }

    @Test func memoryGrowsWithTheContext() throws {
        func cache(_ arguments: String...) throws -> Int {
            let json = try Command.run(["info", "-m", ExampleModel.path, "--json"] + arguments).json
            return try #require(json["memory"]?["kv_cache_bytes"]?.intValue)
        }
        let base = try cache("-c", "64")
        // One block more is for trials.
        #expect(try cache("-c", "128") * 3 == 5 * base)
        #expect(try cache("-c", "64", "--kv-type", "f32") == 2 * base)
        #expect(try cache("-c", "64", "--kv-type", "q8_0") < base)
    }

    @Test func contextBeyondTheTrainedLengthNeedsForce() throws {
        let json = try Command.run("info", "-m", ExampleModel.path, "--json").json
        let trained = try #require(json["metadata"]?["llama.context_length"]?.intValue)
        let arguments = ["info", "-m", ExampleModel.path, "-c", "\(trained + 1)"]
        expectFailure(try Command.run(arguments), mentions: "--force-ctx", "\(trained)")
        expectSuccess(try Command.run(arguments + ["--force-ctx"]))
    }
}
