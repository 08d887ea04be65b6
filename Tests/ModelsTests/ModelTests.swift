import Compute
import Foundation
import GGUF
import Models
import Quant
import Testing

/// A two-layer Llama as a file, with one thing changed.
private struct Fixture {
    var metadata: [(String, Metadata.Value)] = [
        ("general.architecture", .string("llama")),
        ("llama.context_length", .uint32(64)),
        ("llama.embedding_length", .uint32(32)),
        ("llama.block_count", .uint32(2)),
        ("llama.feed_forward_length", .uint32(64)),
        ("llama.attention.head_count", .uint32(4)),
        ("llama.attention.head_count_kv", .uint32(2)),
        ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)),
        ("llama.vocab_size", .uint32(48)),
    ]
    var tensors: [(String, [Int])] = {
        var list: [(String, [Int])] = [
            ("token_embd.weight", [32, 48]), ("output_norm.weight", [32]), ("output.weight", [32, 48]),
        ]
        for layer in 0..<2 {
            let shapes: [(String, [Int])] = [
                ("attn_norm", [32]), ("ffn_norm", [32]), ("attn_q", [32, 32]), ("attn_k", [32, 16]),
                ("attn_v", [32, 16]),
                ("attn_output", [32, 32]), ("ffn_gate", [32, 64]), ("ffn_up", [32, 64]), ("ffn_down", [64, 32]),
            ]
            list += shapes.map { ("blk.\(layer).\($0).weight", $1) }
        }
        return list
    }()

    mutating func set(_ key: String, _ value: Metadata.Value?) {
        metadata.removeAll { $0.0 == key }
        if let value { metadata.append((key, value)) }
    }

    mutating func reshape(_ name: String, _ dimensions: [Int]?) {
        guard let index = tensors.firstIndex(where: { $0.0 == name }) else { return }
        if let dimensions { tensors[index].1 = dimensions } else { tensors.remove(at: index) }
    }

    func model() throws -> Model {
        let path = FileManager.default.temporaryDirectory.path + "/models-tests-" + UUID().uuidString + ".gguf"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let declarations = tensors.map { TensorDeclaration(name: $0, dimensions: $1, format: .f32) }
        let writer = try GGUFWriter(path: path, metadata: Metadata(metadata), tensors: declarations)
        for (index, tensor) in tensors.enumerated() {
            let values = [Float](repeating: 0.01, count: tensor.1.reduce(1, *))
            try writer.append(unsafe values.span.bytes, to: index)
        }
        try writer.finish()
        return try Model(path: path)
    }
}

private func problem(_ change: (inout Fixture) -> Void) -> String {
    var fixture = Fixture()
    change(&fixture)
    do {
        _ = try fixture.model()
        return "no problem"
    } catch {
        return "\(error)"
    }
}

@Suite struct ModelTests {
    @Test func aSoundFileIsAModel() throws {
        let model = try Fixture().model()
        #expect(model.architecture == "llama")
        #expect(model.layerCount == 2 && model.vocabularySize == 48 && model.trainedContext == 64)
        #expect(model.program.cache.layers.allSatisfy { $0.kvHeads == 2 && $0.keyLength == 8 })
        #expect(model.program.weights.count == 21)
    }

    @Test func aFileWithoutOutputTiesItToTheEmbedding() throws {
        var fixture = Fixture()
        fixture.reshape("output.weight", nil)
        #expect(try fixture.model().program.weights.count == 20)
    }

    @Test func anUnsupportedArchitectureListsTheSupportedOnes() {
        let text = problem { $0.set("general.architecture", .string("hyena")) }
        #expect(text.contains("architecture 'hyena' is not supported (supported: "))
        #expect(text.contains("llama"))
    }

    @Test(arguments: [
        "context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
        "attention.layer_norm_rms_epsilon", "vocab_size",
    ])
    func aMissingKeyIsNamed(key: String) {
        let text = problem { $0.set("llama.\(key)", nil) }
        #expect(text.contains("metadata 'llama.\(key)' is missing"), "\(text)")
    }

    @Test(arguments: [
        ("llama.block_count", Metadata.Value.uint32(4_000_000_000), "out of range"),
        ("llama.block_count", .uint32(2_000_000), "more layers than"),
        ("llama.block_count", .int32(-1), "out of range"),
        ("llama.attention.head_count", .uint32(0), "out of range"),
        ("llama.attention.head_count", .uint32(64), "head"),
        ("llama.attention.head_count_kv", .uint32(3), "no divisor of 4 heads"),
        ("llama.attention.head_count_kv", .array(.uint32([2])), "no problem"),
        ("llama.attention.head_count", .array(.uint32([4, 4, 4])), "no problem"),
        ("llama.attention.head_count", .array(.uint32([])), "0 entries for 2 layers"),
        ("llama.rope.dimension_count", .uint32(9), "rope.dimension_count"),
        ("llama.rope.dimension_count", .uint32(7), "rope.dimension_count"),
        ("llama.rope.freq_base", .float32(.nan), "llama.rope.freq_base' is nan"),
        ("llama.rope.freq_base", .float32(-1), "llama.rope.freq_base"),
        ("llama.rope.scaling.type", .string("warp"), "not supported"),
        ("llama.rope.scaling.factor", .float32(-2), "rope.scaling.factor"),
        ("llama.attention.layer_norm_rms_epsilon", .string("small"), "layer_norm_rms_epsilon"),
        ("llama.expert_count", .uint32(4), "expert_used_count"),
        ("llama.vocab_size", .uint32(50), "tensor 'token_embd.weight' has shape [32, 48]"),
        ("llama.embedding_length", .uint32(64), "has shape"),
        ("llama.feed_forward_length", .uint32(65), "has shape [32, 64], the metadata asks for [32, 65]"),
        ("llama.attention.key_length", .uint32(2_000_000_000), "attention.key_length' is 2000000000, out of range"),
        ("llama.attention.key_length", .uint32(16), "has shape"),
    ])
    func aValueThatMakesNoSenseIsNamed(key: String, value: Metadata.Value, expected: String) {
        let text = problem { $0.set(key, value) }
        #expect(text.contains(expected), "\(text)")
    }

    @Test func aMissingTensorIsNamed() {
        #expect(problem { $0.reshape("blk.1.ffn_up.weight", nil) }.contains("tensor 'blk.1.ffn_up.weight' is missing"))
    }

    @Test func ropeFactorsMustFitTheHead() throws {
        var fixture = Fixture()
        fixture.tensors.append(("rope_freqs.weight", [4]))
        let table = try #require(try fixture.model().program.ropes.first)
        #expect(abs(table.inverseFrequencies[0] - 100) < 1e-3)
        #expect(problem { $0.tensors.append(("rope_freqs.weight", [3])) }.contains("rope_freqs.weight"))
    }

    @Test func yarnKeepsFastPairsAndStretchesSlowOnes() throws {
        var fixture = Fixture()
        fixture.set("llama.rope.scaling.type", .string("yarn"))
        fixture.set("llama.rope.scaling.factor", .float32(4))
        fixture.set("llama.rope.scaling.original_context_length", .uint32(4096))
        let scaled = try #require(try fixture.model().program.ropes.first)
        let plain = try #require(try Fixture().model().program.ropes.first)
        #expect(scaled.inverseFrequencies[0] == plain.inverseFrequencies[0])
        #expect(abs(scaled.inverseFrequencies[3] * 4 / plain.inverseFrequencies[3] - 1) < 1e-12)
        #expect(abs(scaled.magnitude - Float(1 + 0.1 * log(4.0))) < 1e-6)
    }
}
