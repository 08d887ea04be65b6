import CPU
import Compute
import Quant
import TestSupport
import Testing

/// Every backend against the scalar reference: each variant of each operation, formats, KV formats.
@Suite(.serialized) struct Conformance {
    static let variants: [ToyModel] = [
        .make("llama"),
        .make("one KV head per head") { $0.kvHeads = 4 },
        .make("sixteen heads, one KV head") {
            $0.heads = 16
            $0.kvHeads = 1
        },
        .make("three heads per KV head") {
            $0.heads = 6
            $0.kvHeads = 2
        },
        .make("head of 80, value of 48, partial halves rope") {
            $0.keyLength = 80
            $0.valueLength = 48
            $0.pairing = .halves
            $0.rotated = 40
            $0.magnitude = 1.2
        },
        .make("head of 8") {
            $0.keyLength = 8
            $0.valueLength = 8
            $0.rotated = 8
        },
        .make("heads of 64 and of 96, eight per KV head") {
            $0.heads = 8
            $0.kvHeads = 1
            $0.keyLength = 96
            $0.valueLength = 64
            $0.rotated = 64
        },
        .make("head of 128") {
            $0.keyLength = 128
            $0.valueLength = 128
            $0.rotated = 128
        },
        .make("window, soft-caps, GELU") {
            $0.window = 20
            $0.softcap = 5
            $0.logitCap = 3
            $0.activation = .geluTanh
            $0.embeddingScale = 8
            $0.residualScale = 0.5
        },
        .make("window of one block") { $0.window = 32 },
        .make("sinks, biases") {
            $0.sinks = true
            $0.biases = true
        },
        .make("layer norm, no gate, exact GELU") {
            $0.norm = .layer
            $0.gated = false
            $0.activation = .gelu
            $0.biases = true
        },
        .make("head norm, squared ReLU") {
            $0.headNorm = true
            $0.gated = false
            $0.activation = .reluSquared
        },
        .make("mixture") { $0.experts = (8, 2) },
        .make("mixture, one expert per token") { $0.experts = (8, 1) },
        .make("mixture of many, softmax over all") {
            $0.experts = (19, 5)
            $0.routing = .softmax
        },
        .make("mixture of tied experts, most of them unused") {
            $0.experts = (9, 2)
            $0.tiedRouter = true
        },
        .make("mixture by sigmoid, groups of tied experts") {
            $0.experts = (12, 3)
            $0.tiedRouter = true
            $0.routing = Op.Routing(.sigmoid, normalised: true, scale: 2.5, groups: .init(count: 4, used: 2, best: 2))
        },
        .make("mixture by sigmoid with biased choice in groups") {
            $0.experts = (16, 4)
            $0.choiceBias = true
            $0.routing = Op.Routing(.sigmoid, normalised: true, scale: 2.5, groups: .init(count: 4, used: 2, best: 2))
        },
        .make("mixture by softmax in groups") {
            $0.experts = (12, 3)
            $0.routing = Op.Routing(.softmax, normalised: false, scale: 16, groups: .init(count: 3, used: 2, best: 1))
        },
        .make("mixture with biases and clamped gates") {
            $0.experts = (6, 3)
            $0.expertBiases = true
            $0.activation = .clampedSwish
        },
        .make("mixture with weighed inputs") {
            $0.experts = (6, 2)
            $0.routing = Op.Routing(.sigmoid, normalised: false, weighsInput: true)
        },
        .make("head norm with weights per head, growing queries") {
            $0.headNorm = true
            $0.weightPerHead = true
            $0.growth = .init(slope: 0.3, interval: 16, shift: 1)
        },
        .make("odd widths") {
            $0.width = 52
            $0.hidden = 37
            $0.vocabulary = 101
        },
    ]

    /// Formats with blocks of 256 see activations with a scale per 256.
    static let formats: [(Format, Float)] = [
        (.f16, 2e-3), (.bf16, 2e-3), (.q8_0, 3e-2), (.q4_0, 3e-2), (.q4_k, 4e-2), (.q5_k, 4e-2), (.q6_k, 4e-2),
    ]

    @Test func aPromisedDeviceIsThere() {
        #expect(!Device.xpuIsPromised || Device.xpu != nil)
    }

    @Test(arguments: variants, Device.all)
    func everyVariantEqualsTheReference(model: ToyModel, device: Device) throws {
        let tokens = randomTokens(75, seed: 3)
        let reference = try Session(model, on: ReferenceBackend(), fused: false).run(tokens, chunks: [75])
        let fast = try Session(model, on: device.backend).run(tokens, chunks: [75])
        #expect(relativeError(fast, reference) < 2e-5, "\(model)")
    }

    /// Integer products see activations of eight bits: the bound is that rounding's, not the kernels'.
    @Test(arguments: formats)
    func everyFormatIsNearTheReference(format: Format, bound: Float) throws {
        let model = Self.wide(format)
        let tokens = randomTokens(40, seed: 5)
        let reference = try Session(model, on: ReferenceBackend()).run(tokens, chunks: [40])
        for repack in [true, false] {
            let fast = try Session(model, on: CPUBackend(threads: 2, repack: repack)).run(tokens, chunks: [40])
            #expect(relativeError(fast, reference) < bound, "\(format), repacked: \(repack)")
        }
        if let xpu = Device.xpu {
            let fast = try Session(model, on: xpu.backend).run(tokens, chunks: [40])
            #expect(relativeError(fast, reference) < bound, "\(format) on the XPU")
        }
    }

    /// Both round activations to eight bits, but a value on the edge between two codes may fall either way.
    @Test(arguments: formats)
    func theXPUComputesWhatTheCPUDoes(format: Format, bound: Float) throws {
        guard let xpu = Device.xpu else { return }
        let model = Self.wide(format)
        let tokens = randomTokens(40, seed: 6)
        let cpu = try Session(model, on: Device.cpu.backend, kv: .f16).run(tokens, chunks: [40])
        let fast = try Session(model, on: xpu.backend, kv: .f16).run(tokens, chunks: [13, 1])
        #expect(relativeError(fast, cpu) < bound, "\(format)")
    }

    /// The two products of an expert's input may each want it in codes of their own.
    @Test(arguments: [(Format.q8_0, Format.q4_k), (.q6_k, .q8_0), (.f16, .q4_0)], Device.all)
    func expertsMayMixFormats(formats: (gate: Format, up: Format), device: Device) throws {
        var model = Self.wide(formats.gate)
        // All are used: a choice between close experts would tell of rounding.
        model.experts = (3, 3)
        model.upFormat = formats.up
        let tokens = randomTokens(40, seed: 7)
        let reference = try Session(model, on: ReferenceBackend()).run(tokens, chunks: [40])
        let whole = try Session(model, on: device.backend).run(tokens, chunks: [40])
        #expect(relativeError(whole, reference) < 5e-2)
        let parts = try Session(model, on: device.backend).run(tokens, chunks: [7, 1, 32])
        #expect(parts == whole)
    }

    static func wide(_ format: Format) -> ToyModel {
        .make("llama") {
            $0.format = format
            $0.width = 256
            $0.heads = 8
            $0.keyLength = 32
            $0.valueLength = 32
            $0.hidden = 512
        }
    }

    @Test(arguments: KVFormat.all.map(\.format.name), [32, 48, 80, 96, 256])
    func everyKVFormatEqualsTheReference(name: String, length: Int) throws {
        let kv = try #require(KVFormat.named(name))
        let model = ToyModel.make("llama") {
            $0.keyLength = length
            $0.valueLength = length
        }
        let tokens = randomTokens(75, seed: 9)
        let reference = try Session(model, on: ReferenceBackend(), kv: kv).run(tokens, chunks: [75])
        for device in Device.all {
            let fast = try Session(model, on: device.backend, kv: kv).run(tokens, chunks: [75])
            // A value on the edge between two codes may fall either way.
            #expect(relativeError(fast, reference) < (kv.format == .f32 ? 2e-5 : 5e-3), "\(device.name)")
        }
    }
}
