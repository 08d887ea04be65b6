import CPU
import Compute
import Quant
import TestSupport
import Testing

/// The determinism contract of a backend: a row's logits depend on its own sequence alone, to the last bit.
@Suite(.serialized) struct Determinism {
    static let models: [ToyModel] = [
        .make("llama") { $0.format = .q8_0 },
        .make("K mix") {
            $0.format = .q4_k
            $0.width = 256
            $0.heads = 8
            $0.keyLength = 32
            $0.valueLength = 32
            $0.hidden = 256
        },
        .make("plain floats") { $0.format = .f16 },
        .make("mixture") {
            $0.format = .q4_0
            $0.experts = (8, 2)
        },
        .make("window and soft-cap") {
            $0.format = .q8_0
            $0.window = 20
            $0.softcap = 5
        },
        .make("many heads per KV head") {
            $0.heads = 16
            $0.kvHeads = 1
        },
    ]

    @Test(arguments: models, Device.all)
    func chunksDoNotMatter(model: ToyModel, device: Device) throws {
        let tokens = randomTokens(150, seed: 21)
        let whole = try Session(model, on: device.backend, kv: .f16).run(tokens, chunks: [150])
        for chunks in [[1], [7], [64, 1], [31, 33, 2]] {
            let split = try Session(model, on: device.backend, kv: .f16).run(tokens, chunks: chunks)
            #expect(identical(split, whole), "\(model) in chunks of \(chunks)")
        }
    }

    /// Windowed layers have blocks of their own, which later positions may take over.
    @Test(arguments: Device.all, [true, false])
    func whatIsOutOfReachDoesNotMatter(device: Device, firstSeesAll: Bool) throws {
        let model = ToyModel.make("window") {
            $0.window = 40
            $0.firstSeesAll = firstSeesAll
        }
        let tokens = randomTokens(700, seed: 26)
        let whole = try Session(model, on: device.backend, kv: .f16, positions: 704).run(tokens, chunks: [100])
        let reference = try Session(model, on: ReferenceBackend(), kv: .f16, positions: 704, windowBlocks: 6).run(
            tokens, chunks: [100])
        #expect(relativeError(whole, reference) < 1e-3)
        // 139 positions in a row touch six blocks at most.
        for chunks in [[100], [7, 93, 1, 64]] {
            let short = try Session(model, on: device.backend, kv: .f16, positions: 704, windowBlocks: 6).run(
                tokens, chunks: chunks)
            #expect(identical(short, whole), "chunks of \(chunks)")
        }
    }

    @Test(arguments: models)
    func threadsDoNotMatter(model: ToyModel) throws {
        let tokens = randomTokens(100, seed: 22)
        let one = try Session(model, on: CPUBackend(threads: 1), kv: .f16).run(tokens, chunks: [60, 1])
        for threads in [2, 3, 5] {
            let many = try Session(model, on: CPUBackend(threads: threads), kv: .f16).run(tokens, chunks: [60, 1])
            #expect(identical(many, one), "\(model) on \(threads) threads")
        }
    }

    /// Also that every operation gets some time, and together no more than there was.
    @Test(arguments: models, [1, 3])
    func `a profile changes nothing`(model: ToyModel, threads: Int) throws {
        let tokens = randomTokens(100, seed: 25)
        let backend = CPUBackend(threads: threads)
        let plain = try Session(model, on: backend, kv: .f16).run(tokens, chunks: [60, 1])
        let session = try Session(model, on: backend, kv: .f16)
        session.times = Array(repeating: 0, count: session.program.ops.count)
        let start = ContinuousClock.now
        let profiled = try session.run(tokens, chunks: [60, 1])
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        #expect(identical(profiled, plain))
        let times = try #require(session.times)
        #expect(times.allSatisfy { $0 > 0 }, "\(times)")
        #expect(times.reduce(0, +) <= elapsed)
    }

    @Test(arguments: models, Device.all)
    func companyDoesNotMatter(model: ToyModel, device: Device) throws {
        let tokens = randomTokens(40, seed: 23)
        let alone = try Session(model, on: device.backend, kv: .f16).run(tokens, chunks: [40])
        for others in [1, 6, 15, 63] {
            let session = try Session(model, on: device.backend, kv: .f16)
            var logits: [[Float]] = []
            for position in tokens.indices {
                // Others sit before and after, at other positions, and some bring a chunk of their own.
                var parts = [Session.Part(sequence: 3, position: position, tokens: [tokens[position]])]
                for other in 0..<others {
                    let extra = other == 0 && position.isMultiple(of: 5) ? 5 : 1
                    let part = Session.Part(
                        sequence: 4 + other, position: position,
                        tokens: randomTokens(min(extra, tokens.count - position), seed: UInt64(position * 100 + other)))
                    if other.isMultiple(of: 2) { parts.insert(part, at: 0) } else { parts.append(part) }
                }
                let mine = parts.prefix { $0.sequence != 3 }.reduce(0) { $0 + $1.tokens.count }
                logits.append(try session.step(parts)[mine])
            }
            #expect(identical(logits, alone), "\(model) beside \(others)")
        }
    }

    /// Wide attention makes values before and after the choice of rows share memory.
    @Test(arguments: Device.all) func unwantedLogitsDoNotMatter(device: Device) throws {
        let model = ToyModel.make("wide attention") {
            $0.keyLength = 64
            $0.valueLength = 64
            $0.rotated = 64
            $0.hidden = 64
        }
        let tokens = randomTokens(120, seed: 25)
        let parts = [Session.Part(sequence: 0, position: 0, tokens: tokens)]
        let all = try Session(model, on: device.backend).step(parts)
        for wants in [{ $0 % 3 != 0 }, { $0 > 30 }, { $0 == 119 }] as [(Int) -> Bool] {
            for _ in 0..<10 {
                let some = try Session(model, on: device.backend).step(parts, wants: wants)
                #expect(identical(some, all.indices.filter(wants).map { all[$0] }))
            }
        }
    }

    /// Long contexts are summed in splits, which workers take apart in small steps only.
    @Test(arguments: KVFormat.all.map(\.format.name), [2, 8]) func splitsDoNotMatter(kv: String, sharing: Int) throws {
        let kv = try #require(KVFormat.named(kv))
        let model = ToyModel.make("long") {
            $0.layers = 1
            $0.heads = 2 * sharing
            $0.window = sharing == 2 ? nil : 700
        }
        let tokens = randomTokens(1200, seed: 24)
        let chunked = try Session(model, on: CPUBackend(threads: 1), kv: kv, positions: 1216).run(
            tokens, chunks: [160])
        let stepped = try Session(model, on: CPUBackend(threads: 4), kv: kv, positions: 1216).run(
            tokens, chunks: [160, 160, 160, 160, 160, 160, 160, 1])
        #expect(identical(stepped, chunked))
        let reference = try Session(model, on: ReferenceBackend(), kv: kv, positions: 1216).run(tokens, chunks: [160])
        #expect(relativeError(chunked, reference) < 5e-3)
        guard let xpu = Device.xpu else { return }
        // Up to 16 rows, splits are computed apart.
        let together = try Session(model, on: xpu.backend, kv: kv, positions: 1216).run(tokens, chunks: [160])
        let apart = try Session(model, on: xpu.backend, kv: kv, positions: 1216).run(
            tokens, chunks: [160, 160, 160, 16, 160, 3, 160, 1])
        #expect(identical(apart, together))
        #expect(relativeError(together, reference) < 5e-3)
    }
}
