import CPU
import Compute
import Models
import Quant
import TestSupport
import Testing

/// Every architecture on every backend: near the scalar reference, and to the last bit independent of chunks, threads and company.
@Suite(.serialized) struct ArchitectureConformance {
    private func session(_ model: Model, on backend: any Backend, kv: KVFormat = .f32) throws -> Session {
        try Session(model.program, model.weights, on: backend, kv: kv)
    }

    @Test(arguments: TinyModel.all)
    func logitsEqualTheReference(tiny: TinyModel) throws {
        guard let model = try tiny.load() else { return }
        let tokens = randomTokens(50, seed: 31)
        let reference = try session(model, on: ReferenceBackend()).run(tokens, chunks: [50])
        for device in Device.all {
            let fast = try session(model, on: device.backend).run(tokens, chunks: [50])
            #expect(relativeError(fast, reference) < 2e-5, "\(device.name)")
        }
    }

    @Test(arguments: TinyModel.all)
    func chunksThreadsAndCompanyDoNotMatter(tiny: TinyModel) throws {
        guard let model = try tiny.load(.q8_0) else { return }
        let tokens = randomTokens(90, seed: 32)
        let whole = try session(model, on: CPUBackend(threads: 2), kv: .f16).run(tokens, chunks: [90])
        for (threads, chunks) in [(1, [7]), (3, [64, 1])] {
            let other = try session(model, on: CPUBackend(threads: threads), kv: .f16).run(tokens, chunks: chunks)
            #expect(identical(other, whole), "chunks of \(chunks) on \(threads) threads")
        }
        let crowd = try session(model, on: CPUBackend(threads: 2), kv: .f16)
        for position in tokens.indices {
            let others = (0..<5).map { other in
                Session.Part(sequence: 1 + other, position: position, tokens: [Int32((position * 7 + other * 13) % 97)])
            }
            let mine = Session.Part(sequence: 0, position: position, tokens: [tokens[position]])
            let logits = try crowd.step(others.prefix(2) + [mine] + others.dropFirst(2))
            #expect(identical([logits[2]], [whole[position]]), "position \(position) among others")
        }
    }

    @Test(arguments: TinyModel.all)
    func chunksDoNotMatterToTheXPU(tiny: TinyModel) throws {
        guard let xpu = Device.xpu, let model = try tiny.load(.q8_0) else { return }
        let tokens = randomTokens(90, seed: 32)
        let whole = try session(model, on: xpu.backend, kv: .f16).run(tokens, chunks: [90])
        for chunks in [[7], [64, 1]] {
            let other = try session(model, on: xpu.backend, kv: .f16).run(tokens, chunks: chunks)
            #expect(identical(other, whole), "chunks of \(chunks)")
        }
    }

    @Test(arguments: TinyModel.all)
    func theFilesOwnLayoutGivesTheSameBits(tiny: TinyModel) throws {
        guard let model = try tiny.load(.q8_0) else { return }
        let tokens = randomTokens(40, seed: 33)
        let packed = try session(model, on: CPUBackend(threads: 2)).run(tokens, chunks: [40])
        let borrowed = try session(model, on: CPUBackend(threads: 2, repack: false)).run(tokens, chunks: [40])
        #expect(identical(packed, borrowed))
    }
}
