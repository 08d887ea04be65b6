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

    /// What a tensor is full of, where that is not 0.01.
    var values: [String: Float] = [:]

    mutating func set(_ key: String, _ value: Metadata.Value?) {
        metadata.removeAll { $0.0 == key }
        if let value { metadata.append((key, value)) }
    }

    /// The same file of another architecture.
    mutating func rename(_ architecture: String) {
        metadata = metadata.map { key, value in
            key == "general.architecture"
                ? (key, .string(architecture)) : (key.replacing("llama.", with: architecture + "."), value)
        }
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
            let values = [Float](repeating: self.values[tensor.0] ?? 0.01, count: tensor.1.reduce(1, *))
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

    @Test(arguments: ["mm.0.weight", "blk.0.attn_sinks.weight", "blk.1.attn_q.scale", "blk.2.attn_norm.weight"])
    func aTensorThatNothingReadsIsNamed(name: String) {
        let text = problem { $0.tensors.append((name, [32])) }
        #expect(text.contains("tensor '\(name)' is not known in architecture 'llama'"), "\(text)")
    }

    @Test func layersThatPredictFurtherTokensAreLeftOut() throws {
        var fixture = Fixture()
        fixture.set("llama.block_count", .uint32(3))
        fixture.set("llama.nextn_predict_layers", .uint32(1))
        fixture.tensors.append(("blk.2.nextn.eh_proj.weight", [64, 32]))
        #expect(try fixture.model().layerCount == 2)
        #expect(problem { $0.set("llama.nextn_predict_layers", .uint32(2)) }.contains("is 2 of 2 layers"))
    }

    @Test func queryKeyAndValueMayBeOneTensor() throws {
        var fixture = Fixture()
        for name in ["q", "k", "v"] { fixture.reshape("blk.1.attn_\(name).weight", nil) }
        fixture.tensors += [("blk.1.attn_qkv.weight", [32, 64]), ("blk.1.attn_qkv.bias", [64])]
        let model = try fixture.model()
        let parts = model.program.weights.filter { $0.name == "blk.1.attn_qkv.weight" }
        #expect(parts.map(\.rows) == [32, 16, 16] && parts.map(\.offset) == [0, 32 * 32, 48 * 32])
        #expect(parts.allSatisfy { $0.tensorCount == 64 * 32 })
        let bytes = try parts.map { try model.weights.read($0).count }
        #expect(bytes == [32 * 32 * 4, 16 * 32 * 4, 16 * 32 * 4])
        let (query, key) = (try model.weights.read(parts[0]), try model.weights.read(parts[1]))
        let distance = unsafe key.base - query.base
        #expect(distance == 32 * 32 * 4)
    }

    @Test func longContextsHaveAnotherRope() throws {
        var fixture = Fixture()
        fixture.set("llama.rope.scaling.original_context_length", .uint32(16))
        fixture.tensors += [("rope_factors_long.weight", [4]), ("rope_factors_short.weight", [4])]
        fixture.values = ["rope_factors_long.weight": 8, "rope_factors_short.weight": 2]
        let model = try fixture.model()
        func first(_ model: Model) -> Double? { model.program.ropes.first?.inverseFrequencies.first }
        #expect(first(model) == 0.125)
        #expect(first(try model.planned(forContext: 17)) == 0.125)
        #expect(first(try model.planned(forContext: 16)) == 0.5)
    }

    @Test func windowsFollowThePatternOfTheFile() throws {
        var fixture = Fixture()
        func windows() throws -> [Int?] { try fixture.model().program.cache.layers.map(\.window) }
        fixture.set("llama.attention.sliding_window", .uint32(16))
        #expect(try windows() == [16, 16])
        fixture.set("llama.attention.sliding_window_pattern", .uint32(2))
        #expect(try windows() == [16, nil])
        fixture.set("llama.attention.sliding_window_pattern", .array(.bool([false, true])))
        #expect(try windows() == [nil, 16])
        fixture.set("llama.attention.sliding_window_pattern", .array(.bool([true])))
        #expect(problem { $0 = fixture }.contains("has no flag for each of 2 layers"))
        fixture.set("llama.attention.sliding_window", .uint32(0))
        #expect(try windows() == [nil, nil])
        fixture.set("llama.attention.sliding_window", .uint64(UInt64(Int64.max)))
        #expect(problem { $0 = fixture }.contains("attention.sliding_window"))
    }

    @Test(arguments: [
        ("granite", "deepstack_mapping", Metadata.Value.array(.int32([-1, 1])), "vision inputs"),
        ("glm4", "rope.dimension_sections", .array(.int32([8, 12, 12, 0])), "rope of images"),
        ("deepseek2", "expert_gating_func", .uint32(3), "gating that is not supported"),
        ("qwen3moe", "expert_gating_func", .uint32(2), "gating that is not supported"),
        ("deepseek2", "attention.temperature_scale", .float32(0.1), "growing scores"),
        ("llama4", "attention.sliding_window", .uint32(0), "out of range"),
        ("gemma2", "attn_logit_softcapping", .float32(-1), "attn_logit_softcapping"),
        ("qwen3", "rope.scaling.type", .string("dynamic"), "'dynamic', which is not supported"),
    ])
    func whatIsNotThereIsNamed(architecture: String, key: String, value: Metadata.Value, expected: String) {
        let text = problem {
            $0.rename(architecture)
            $0.set(architecture + ".attention.kv_lora_rank", .uint32(8))
            $0.set(architecture + ".attention.key_length", .uint32(8))
            $0.set(architecture + ".attention.value_length", .uint32(8))
            $0.set(architecture + ".rope.dimension_count", .uint32(4))
            $0.set(architecture + ".expert_count", .uint32(2))
            $0.set(architecture + ".expert_used_count", .uint32(1))
            $0.set(architecture + ".expert_feed_forward_length", .uint32(8))
            $0.set("\(architecture).\(key)", value)
        }
        #expect(text.contains(key) && text.contains(expected), "\(text)")
    }
}
