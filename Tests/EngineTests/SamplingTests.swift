import Engine
import Foundation
import Testing

@Suite struct SamplingTests {
    // MARK: Against the reference

    static let chains: [SamplingParameters] = [
        .with { $0.doSample = true },
        .with { $0.temperature = 0.7 },
        .with { $0.temperature = 1.9 },
        .with { $0.topK = 1 },
        .with { $0.topK = 7 },
        .with { $0.topK = 300 },
        .with { $0.topP = 0.1 },
        .with { $0.topP = 0.9 },
        .with { $0.topP = 0.999 },
        .with { $0.typicalP = 0.2 },
        .with { $0.typicalP = 0.95 },
        .with { $0.minP = 0.05 },
        .with { ($0.temperature, $0.topP) = (0.8, 0.95) },
        .with { ($0.temperature, $0.topK, $0.topP) = (1.3, 50, 0.8) },
        .with { ($0.temperature, $0.topK, $0.topP, $0.typicalP, $0.minP) = (1.1, 200, 0.97, 0.9, 0.01) },
        .with { ($0.repetitionPenalty, $0.topP) = (1.3, 0.9) },
        .with { ($0.repetitionPenalty, $0.frequencyPenalty, $0.presencePenalty) = (0.8, 1.5, 0.5) },
        .with { ($0.frequencyPenalty, $0.frequencyForm, $0.temperature) = (-0.7, .count, 0.9) },
        .with { ($0.presencePenalty, $0.doSample) = (-1.5, true) },
    ]

    enum Shape: CaseIterable { case normal, peaked, tied, flat, holes }

    static func logits(_ shape: Shape, _ count: Int, _ random: inout SplitMix) -> [Float] {
        (0..<count).map { _ in
            let normal = (0..<12).reduce(Float(-6)) { sum, _ in sum + Float.random(in: 0..<1, using: &random) }
            return switch shape {
            case .normal: normal
            case .peaked: normal * 4
            case .tied: (normal * 2).rounded() / 2
            case .flat: 0.25
            case .holes: [normal, .nan, -.infinity, 0, -0.0].randomElement(using: &random) ?? normal
            }
        }
    }

    @Test(arguments: chains)
    func keepsAndWeighsWhatTheReferenceDoes(_ parameters: SamplingParameters) throws {
        var random = SplitMix(42)
        var candidates = Candidates()
        for count in [40_000, 1, 2, 15, 16, 17, 333, 1024, 1025, 5000] {
            for shape in count > 10_000 ? [Shape.normal, .peaked] : Shape.allCases {
                var logits = Self.logits(shape, count, &random)
                logits[count / 2] = 1
                let prompt = (0..<count / 4).map { _ in Int32.random(in: 0..<Int32(count), using: &random) }
                var reference = SamplingReference(parameters: parameters, prompt: prompt)
                var seeded = parameters
                seeded.seed = 7
                var sampler = try Sampler(seeded, prompt: prompt, vocabulary: count)
                for position in 0..<3 {
                    let token = try sampler.choose(
                        logits, position: position, topCount: count, using: &candidates)
                    let expected = reference.logprobs(logits)
                    #expect(Set(token.top.map { Int($0.id) }) == Set(expected.keys), "\(shape) \(count)")
                    let errors = token.top.map { entry in
                        let logprob = expected[Int(entry.id)] ?? .nan
                        return abs(Double(entry.logprob) - logprob) / max(1, -logprob)
                    }
                    #expect(errors.allSatisfy { $0 < 1e-5 })
                    #expect(token.top == token.top.sorted { ($1.logprob, $0.id) < ($0.logprob, $1.id) })
                    #expect(token.top.first { $0.id == token.id }?.logprob == token.logprob)
                    if parameters.isGreedy {
                        #expect(token.id == token.top[0].id)
                    } else {
                        let uniform = Philox.uniform(seed: 7, position: position)
                        #expect(Self.covers(uniform, token.id, expected))
                    }
                    reference.generated.append(token.id)
                }
            }
        }
    }

    /// Whether a uniform number lies in a token's share of the cumulated probabilities, up to rounding.
    static func covers(_ uniform: Double, _ id: Int32, _ logprobs: [Int: Double]) -> Bool {
        let below = logprobs.filter { $0.key < Int(id) }.reduce(0) { $0 + exp($1.value) }
        let share = exp(logprobs[Int(id)] ?? -.infinity)
        return uniform > below - 1e-6 && uniform < below + share + 1e-6
    }

    // MARK: Draws

    /// Philox4x32-10 of the known-answer tests that its authors publish with Random123.
    @Test(
        arguments: [
            ([0, 0, 0, 0], [0, 0], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
            (
                [.max, .max, .max, .max], [.max, .max], [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]
            ),
            (
                [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], [0xA409_3822, 0x299F_31D0],
                [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]
            ),
        ] as [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)])
    func philox(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ block: SIMD4<UInt32>) {
        #expect(Philox.block(counter: counter, key: key) == block)
    }

    @Test(arguments: [true, false])
    func drawsFollowTheProbabilities(acrossPositions: Bool) throws {
        var random = SplitMix(3)
        var candidates = Candidates()
        let logits = Self.logits(.normal, 50, &random)
        let parameters = SamplingParameters.with { ($0.temperature, $0.topK) = (1.5, 30) }
        let expected = SamplingReference(parameters: parameters).logprobs(logits)
        let draws = 100_000
        var counts: [Int32: Int] = [:]
        for draw in 0..<draws {
            var seeded = parameters
            seeded.seed = acrossPositions ? 1 : UInt64(draw)
            var sampler = try Sampler(seeded, prompt: [], vocabulary: 50)
            let position = acrossPositions ? draw : 5
            counts[try sampler.choose(logits, position: position, using: &candidates).id, default: 0] += 1
        }
        #expect(Set(counts.keys.map(Int.init)).isSubset(of: expected.keys))
        let chiSquare = expected.reduce(0.0) { sum, entry in
            let mean = exp(entry.value) * Double(draws)
            return sum + pow(Double(counts[Int32(entry.key)] ?? 0) - mean, 2) / mean
        }
        // 29 degrees of freedom: 58.3 is exceeded once in a thousand times.
        #expect(chiSquare < 58.3)
    }

    @Test func drawDependsOnSeedAndPositionAlone() throws {
        var random = SplitMix(5)
        var candidates = Candidates()
        let parameters = SamplingParameters.with { ($0.temperature, $0.topP, $0.seed) = (1, 0.95, 99) }
        let steps = (0..<20).map { _ in Self.logits(.normal, 1000, &random) }
        var forward = try Sampler(parameters, prompt: [], vocabulary: 1000)
        let tokens = try steps.enumerated().map { position, logits in
            try forward.choose(logits, position: position, using: &candidates)
        }
        var backward = try Sampler(parameters, prompt: [1, 2], vocabulary: 1000)
        for position in steps.indices.reversed() {
            let token = try backward.choose(steps[position], position: position, using: &candidates)
            #expect(token == tokens[position])
        }
        var other = parameters
        other.seed = 100
        var changed = try Sampler(other, prompt: [], vocabulary: 1000)
        let differing = try steps.enumerated().count { position, logits in
            try changed.choose(logits, position: position, using: &candidates).id != tokens[position].id
        }
        #expect(differing > 10)
    }

    @Test func seeds() throws {
        let sampling = SamplingParameters.with { $0.doSample = true }
        let first = try Sampler(sampling, prompt: [], vocabulary: 1)
        let second = try Sampler(sampling, prompt: [], vocabulary: 1)
        #expect(first.seed != second.seed)
        #expect(first.reportedSeed == first.seed)
        let given = SamplingParameters.with { ($0.doSample, $0.seed) = (true, .max) }
        #expect(try Sampler(given, prompt: [], vocabulary: 1).reportedSeed == .max)
        let greedy = SamplingParameters.with { $0.seed = 3 }
        #expect(try Sampler(greedy, prompt: [], vocabulary: 1).reportedSeed == nil)
    }

    // MARK: Greedy

    private func greedy(
        _ logits: [Float], topCount: Int = 0, wantsLogprob: Bool = true
    ) throws -> SampledToken {
        var candidates = Candidates()
        var sampler = try Sampler(SamplingParameters(), prompt: [], vocabulary: logits.count)
        return try sampler.choose(
            logits, position: 0, topCount: topCount, wantsLogprob: wantsLogprob, using: &candidates)
    }

    @Test func greedyTakesTheFirstOfEquals() throws {
        var random = SplitMix(11)
        for count in [1, 3, 16, 31, 1024, 1500, 128_256] {
            var logits = Self.logits(.normal, count, &random)
            for place in [count - 1, count / 2, count / 3] {
                logits[place] = 20
                let token = try greedy(logits)
                #expect(token.id == Int32(place))
                let logprob = SamplingReference.logSoftmax(logits.map(Double.init))[place]
                #expect(abs(Double(token.logprob ?? .nan) - logprob) < 1e-6)
                // Reporting more changes no bit.
                let reported = try greedy(logits, topCount: 1)
                #expect((reported.id, reported.logprob) == (token.id, token.logprob))
                #expect(try greedy(logits, wantsLogprob: false) == SampledToken(id: token.id))
            }
        }
    }

    @Test func logitsThatAreNoNumbers() throws {
        #expect(try greedy([.nan, -5, .nan, -4, -.infinity]).id == 3)
        for topCount in [0, 1] {
            #expect(throws: SamplingError.overflow) { try greedy([.nan, 1, .infinity, 3], topCount: topCount) }
        }
        #expect(try greedy([-.infinity, -.greatestFiniteMagnitude]).id == 1)
        for logits in [[Float.nan], [-.infinity, .nan], []] {
            #expect(throws: SamplingError.noCandidate) { try greedy(logits) }
            #expect(throws: SamplingError.noCandidate) { try greedy(logits, topCount: 1) }
        }
    }

    @Test func logprobOfAnyToken() throws {
        var random = SplitMix(17)
        for count in [1, 9, 257, 5000] {
            let logits = Self.logits(.normal, count, &random)
            let expected = SamplingReference.logSoftmax(logits.map(Double.init))
            for id in [0, count / 2, count - 1] {
                let logprob = logits.span.logprob(of: id) ?? .nan
                #expect(abs(Double(logprob) - expected[id]) < 1e-5)
            }
        }
        let odd: [Float] = [.nan, 0, .infinity]
        let ids = [0, 2].map { odd.span.logprob(of: $0) }
        #expect(ids == [-.infinity, 0])
        let none = [Float.nan]
        let absent = none.span.logprob(of: 0)
        #expect(absent == nil)
    }

    @Test func extremeTemperatures() throws {
        var candidates = Candidates()
        let logits: [Float] = [1, 3, 4, 2.5, -1e30, .nan]
        for temperature in [Float.leastNonzeroMagnitude, 1e-30, 1e-3] {
            let parameters = SamplingParameters.with { $0.temperature = temperature }
            var sampler = try Sampler(parameters, prompt: [], vocabulary: 6)
            let token = try sampler.choose(logits, position: 0, using: &candidates)
            #expect(token.id == 2)
            #expect(token.logprob == 0)
        }
        let hot = SamplingParameters.with { ($0.temperature, $0.seed) = (.greatestFiniteMagnitude, 1) }
        var sampler = try Sampler(hot, prompt: [], vocabulary: 4)
        let even = try sampler.choose([0, 100, -100, 7], position: 0, topCount: 4, using: &candidates)
        #expect(even.top.map(\.id) == [0, 1, 2, 3])
        #expect(even.top.allSatisfy { abs($0.logprob + log(4)) < 1e-6 })
    }

    @Test func topTokensIncludeTies() throws {
        let logits: [Float] = [1, 5, 3, 3, 5, 3, 0, -.infinity]
        #expect(try greedy(logits, topCount: 1).top.map(\.id) == [1, 4])
        #expect(try greedy(logits, topCount: 2).top.map(\.id) == [1, 4])
        #expect(try greedy(logits, topCount: 3).top.map(\.id) == [1, 4, 2, 3, 5])
        #expect(try greedy(logits, topCount: 100).top.map(\.id) == [1, 4, 2, 3, 5, 0, 6])
    }

    @Test func logprobsAreOfTheProcessedScores() throws {
        var candidates = Candidates()
        var sampler = try Sampler(.with { $0.topK = 1 }, prompt: [], vocabulary: 3)
        let token = try sampler.choose([1, 2, 0], position: 0, topCount: 2, using: &candidates)
        #expect(token == SampledToken(id: 1, logprob: 0, top: [TokenLogprob(id: 1, logprob: 0)]))
    }

    // MARK: Penalties

    @Test func penaltyFormulas() throws {
        let logits: [Float] = [2, -2, 3, 1]
        let prompt: [Int32] = [0, 1, 1, 9, -1]
        func scores(_ parameters: SamplingParameters) throws -> [Float] {
            var candidates = Candidates()
            var sampler = try Sampler(parameters, prompt: prompt, vocabulary: 4)
            // Token 2 is chosen once; its effect shows in the second step.
            _ = try sampler.choose([0, 0, 50, 0], position: 0, using: &candidates)
            let top = try sampler.choose(logits, position: 1, topCount: 4, using: &candidates).top
            let logprobs = top.sorted { $0.id < $1.id }.map(\.logprob)
            // Token 3 is never penalized: it ties log-probabilities to scores.
            return logprobs.map { $0 - logprobs[3] + logits[3] }
        }
        func expect(_ parameters: SamplingParameters, _ expected: [Float]) throws {
            for (score, expected) in zip(try scores(parameters), expected) { #expect(abs(score - expected) < 1e-5) }
        }
        try expect(.with { $0.repetitionPenalty = 2 }, [1, -4, 1.5, 1])
        try expect(.with { $0.frequencyPenalty = 2 }, [2 - 2.0 / 6, -2 - 4.0 / 6, 3 - 2.0 / 6, 1])
        try expect(.with { ($0.frequencyPenalty, $0.frequencyForm) = (2, .count) }, [2, -2, 1, 1])
        try expect(.with { $0.presencePenalty = 0.5 }, [2, -2, 2.5, 1])
        try expect(
            .with { ($0.repetitionPenalty, $0.frequencyPenalty, $0.presencePenalty) = (2, 2, 0.5) },
            [1 - 2.0 / 6, -4 - 4.0 / 6, 1.5 - 2.0 / 6 - 0.5, 1])
    }

    @Test func greedyHonoursPenalties() throws {
        var candidates = Candidates()
        var sampler = try Sampler(.with { $0.presencePenalty = 1 }, prompt: [], vocabulary: 3)
        let ids = try (0..<3).map {
            try sampler.choose([0.8, 1.2, 0], position: $0, wantsLogprob: false, using: &candidates).id
        }
        #expect(ids == [1, 0, 1])
    }

    // MARK: Parameters

    @Test(
        arguments: [
            (SamplingParameters(), true),
            (.with { $0.temperature = 1 }, true), (.with { $0.temperature = 0.5 }, false),
            (.with { ($0.doSample, $0.temperature) = (true, 1) }, false),
            (.with { ($0.doSample, $0.temperature, $0.topK) = (true, 0, 5) }, true),
            (.with { $0.topK = 1 }, false), (.with { $0.topP = 0.9 }, false), (.with { $0.typicalP = 0.9 }, false),
            (.with { $0.minP = 0.1 }, false), (.with { ($0.repetitionPenalty, $0.seed) = (1.5, 3) }, true),
        ] as [(SamplingParameters, Bool)])
    func greedy(_ parameters: SamplingParameters, _ isGreedy: Bool) {
        #expect(parameters.isGreedy == isGreedy)
    }

    @Test(
        arguments: [
            (.with { $0.temperature = -0.1 }, "temperature must be > 0, or 0 for greedy"),
            (.with { $0.temperature = .nan }, "temperature must be > 0, or 0 for greedy"),
            (.with { $0.temperature = .infinity }, "temperature must be > 0, or 0 for greedy"),
            (.with { $0.repetitionPenalty = 0 }, "repetition penalty must be > 0"),
            (.with { $0.frequencyPenalty = 2.1 }, "frequency penalty must be >= -2 and <= 2"),
            (.with { $0.presencePenalty = .nan }, "presence penalty must be >= -2 and <= 2"),
            (.with { $0.topP = 1 }, "top-p must be > 0 and < 1"), (.with { $0.topP = 0 }, "top-p must be > 0 and < 1"),
            (.with { $0.typicalP = 1.5 }, "typical-p must be > 0 and < 1"),
            (.with { $0.minP = -0.1 }, "min-p must be >= 0 and <= 1"),
            (.with { $0.topK = 0 }, "top-k must be > 0"), (.with { $0.topK = -1 }, "top-k must be > 0"),
        ] as [(SamplingParameters, String)])
    func rejects(_ parameters: SamplingParameters, _ message: String) {
        let error = #expect(throws: SamplingError.self) {
            try Sampler(parameters, prompt: [], vocabulary: 1)
        }
        #expect(error?.description == message)
    }

    @Test func hugeTopKKeepsAll() throws {
        var candidates = Candidates()
        var sampler = try Sampler(.with { $0.topK = .max }, prompt: [], vocabulary: 3)
        #expect(
            try sampler.choose([1, 2, 0], position: 0, topCount: .max, using: &candidates).top.count == 3)
    }
}
