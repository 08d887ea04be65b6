import CPU
import Compute
import Engine
import Glibc
import Synchronization
import TestSupport
import Testing

/// A row of logits on a device that gives heads.
private struct DeviceRow: ~Copyable {
    private var outputs: StepOutputs
    private(set) var logits: [Float]

    init(_ logits: [Float], _ inputs: StepInputs, row: Int = 0) throws {
        self.logits = logits
        outputs = try StepOutputs(rows: 1, vocabulary: logits.count)
        outputs[0] = RowDelivery(isProcessed: true, hasRow: false)
        var words = unsafe outputs.headBuffer(row: 0).mutableSpan
        var span = self.logits.mutableSpan
        ReferenceHead.compute(inputs.heads[row], inputs.logitChanges.span, &span, into: &words)
    }

    func withHead<R>(_ body: (RowHead) throws -> R) throws -> R { try outputs.withHead(row: 0, body) }

    /// Of the row, only the block is there.
    mutating func withBlock<R>(_ block: Int, _ body: (RowBlock) -> R) -> R {
        for id in logits.indices { unsafe outputs.buffer[id] = .nan }
        for id in StepOutputs.tokens(of: block, vocabulary: logits.count) { unsafe outputs.buffer[id] = logits[id] }
        outputs[0].block = block
        return outputs.withBlock(block, row: 0, body)
    }
}

extension Sampler {
    /// A step on a device that gives heads.
    ///
    /// - Returns: The token, and whether the head was enough.
    fileprivate mutating func chooseOnDevice(
        _ logits: [Float], position: Int, topCount: Int, wantsLogprob: Bool, using candidates: inout Candidates
    ) throws -> (token: SampledToken, byHead: Bool) {
        var inputs = StepInputs()
        requestHeads([], topCount: topCount, into: &inputs)
        guard inputs.wantsHeads else {
            let token = try choose(
                logits, position: position, topCount: topCount, wantsLogprob: wantsLogprob, using: &candidates)
            return (token, false)
        }
        var row = try DeviceRow(logits, inputs)
        let choice = try row.withHead {
            try choose(
                head: $0, position: position, topCount: topCount, wantsLogprob: wantsLogprob, using: &candidates)
        }
        switch choice {
        case .token(let token): return (token, true)
        case .block(let block, let top):
            let token = row.withBlock(block) { choose(block: $0, top: top, using: &candidates) }
            if let token { return (token, true) }
        case .row: break
        }
        let whole = try choose(
            logits: row.logits.span, isProcessed: true, position: position, topCount: topCount,
            wantsLogprob: wantsLogprob, using: &candidates)
        return (whole, false)
    }
}

@Suite struct HeadTests {
    private static let chains: [SamplingParameters] =
        SamplingTests.chains + [
            SamplingParameters(),
            .with { $0.logitBias = [3: 100, 1: -100] },
            .with { ($0.repetitionPenalty, $0.logitBias) = (1.2, [2: 0.5]) },
            .with { ($0.repetitionPenalty, $0.topK, $0.temperature) = (1.1, 40, 0.6) },
            .with { ($0.minP, $0.temperature) = (0.2, 0.7) },
            .with { ($0.topP, $0.temperature) = (0.95, .leastNonzeroMagnitude) },
            .with { ($0.topP, $0.typicalP) = (0.9, 0.9) },
        ]

    private static func same(_ a: SampledToken, _ b: SampledToken) -> Bool {
        a.id == b.id && a.logprob?.bitPattern == b.logprob?.bitPattern
            && a.top.map(\.id) == b.top.map(\.id)
            && a.top.map(\.logprob.bitPattern) == b.top.map(\.logprob.bitPattern)
    }

    @Test(arguments: chains)
    func `A head gives the row's token and log-probabilities to the bit`(_ parameters: SamplingParameters) throws {
        var random = SplitMix(77)
        var candidates = Candidates()
        for count in [151_936, 40_001, 8192, 1000, 257, 33, 4] {
            for shape in count > 100_000 ? [SamplingTests.Shape.normal, .peaked] : SamplingTests.Shape.allCases {
                let prompt = (0..<min(count / 4, 300)).map { _ in Int32.random(in: 0..<Int32(count), using: &random) }
                var seeded = parameters
                seeded.seed = 9
                var plain = try Sampler(seeded, prompt: prompt, vocabulary: count)
                var device = try Sampler(seeded, prompt: prompt, vocabulary: count)
                for position in 0..<(count > 100_000 ? 2 : 4) {
                    var logits = SamplingTests.logits(shape, count, &random)
                    logits[count / 2] = 1
                    let topCount = [0, 0, 3, 100][position]
                    let expected = try plain.choose(
                        logits, position: position, topCount: topCount, wantsLogprob: position != 1, using: &candidates)
                    let (token, _) = try device.chooseOnDevice(
                        logits, position: position, topCount: topCount, wantsLogprob: position != 1, using: &candidates)
                    #expect(Self.same(token, expected), "\(shape) of \(count) at \(position)")
                }
            }
        }
    }

    /// Which requests a head serves, in a distribution as peaked as a language model's.
    @Test(
        arguments: [
            (SamplingParameters(), true), (.with { ($0.temperature, $0.topP) = (0.7, 0.95) }, true),
            (.with { $0.topK = 50 }, true), (.with { $0.topK = 200 }, true), (.with { $0.minP = 0.05 }, true),
            (.with { $0.repetitionPenalty = 1.3 }, true), (.with { $0.presencePenalty = -2 }, true),
            (.with { $0.logitBias = [150_000: 50] }, true), (.with { ($0.topK, $0.typicalP) = (100, 0.9) }, true),
            (.with { $0.topK = 5000 }, false), (.with { $0.typicalP = 0.9 }, false),
            (.with { $0.doSample = true }, true), (.with { $0.temperature = 1.3 }, true),
            (.with { ($0.doSample, $0.repetitionPenalty) = (true, 1.2) }, true),
            (.with { ($0.doSample, $0.typicalP) = (true, 0.9) }, false), (.with { $0.topP = 0.99999 }, false),
        ] as [(SamplingParameters, Bool)])
    func `A head is enough for most requests`(_ parameters: SamplingParameters, _ isEnough: Bool) throws {
        var random = SplitMix(5)
        var candidates = Candidates()
        var sampler = try Sampler(parameters, prompt: [5, 6, 7, 140_000], vocabulary: 151_936)
        for position in 0..<3 {
            // Probabilities fall with the square of the rank.
            let logits = (1...151_936).map { -2 * log(Float($0)) }.shuffled(using: &random)
            let step = try sampler.chooseOnDevice(
                logits, position: position, topCount: 5, wantsLogprob: true, using: &candidates)
            #expect(step.byHead == isEnough)
        }
    }

    @Test(arguments: [SamplingParameters(), .with { $0.topP = 0.5 }, .with { $0.repetitionPenalty = 2 }])
    func `Rows that are no numbers are the same errors`(_ parameters: SamplingParameters) throws {
        var candidates = Candidates()
        for (value, error) in [
            (Float.nan, SamplingError.noCandidate), (-.infinity, .noCandidate), (.infinity, .overflow),
        ] {
            var logits = [Float](repeating: value == .infinity ? 0 : value, count: 9000)
            logits[77] = value
            // The infinite logit may be one that is penalized.
            for prompt in [[Int32(77)], [3]] {
                var sampler = try Sampler(parameters, prompt: prompt, vocabulary: logits.count)
                #expect(throws: error) {
                    try sampler.chooseOnDevice(
                        logits, position: 0, topCount: 0, wantsLogprob: true, using: &candidates)
                }
            }
        }
    }

    /// A device may answer with anything: the token is still one of the vocabulary, or there is none.
    @Test(arguments: chains)
    func `Heads and rows of random bits are survived`(_ parameters: SamplingParameters) throws {
        var random = SplitMix(2024)
        var candidates = Candidates()
        let vocabulary = 1000
        var heads = 0
        for round in 0..<300 {
            var outputs = try StepOutputs(rows: 1, vocabulary: vocabulary)
            outputs[0] = RowDelivery(isProcessed: true, hasRow: true)
            let words = unsafe outputs.headBuffer(row: 0)
            for index in words.indices { unsafe words[index] = UInt32.random(in: 0...(.max), using: &random) }
            unsafe words[HeadLayout.count] = UInt32.random(in: 0...600, using: &random)
            // Ids that are tokens, in order or not, are the harder case.
            for index in 0..<HeadLayout.capacity where round % 3 > 0 {
                unsafe words[HeadLayout.ids + index] =
                    round % 3 == 1 ? UInt32(index) : UInt32.random(in: 0..<1000, using: &random)
            }
            for index in unsafe outputs.buffer.indices {
                unsafe outputs.buffer[index] = Float(bitPattern: .random(in: 0...(.max), using: &random))
            }
            var sampler = try Sampler(parameters, prompt: [1, 2, 999], vocabulary: vocabulary)
            let topCount = round % 5
            do throws(SamplingError) {
                let choice = try outputs.withHead(row: 0) { head throws(SamplingError) in
                    try sampler.choose(head: head, position: round, topCount: topCount, using: &candidates)
                }
                let token: SampledToken? =
                    switch choice {
                    case .token(let token): token
                    case .row: nil
                    case .block(let block, let top):
                        outputs.withBlock(block, row: 0) { sampler.choose(block: $0, top: top, using: &candidates) }
                    }
                if let token {
                    heads += 1
                    #expect(token.id >= 0 && Int(token.id) < vocabulary)
                }
            } catch {}
            do throws(SamplingError) {
                let token = try outputs.withLogits(row: 0) { logits throws(SamplingError) in
                    try sampler.choose(
                        logits: logits, isProcessed: true, position: round, topCount: topCount, using: &candidates)
                }
                #expect(token.id >= 0 && Int(token.id) < vocabulary)
            } catch {}
        }
        #expect(heads > 0 || !parameters.isGreedy)
    }

    @Test func `Drafts are counted by the rows behind them`() throws {
        let parameters = SamplingParameters.with {
            ($0.repetitionPenalty, $0.frequencyPenalty, $0.frequencyForm) = (1.5, 1, .count)
        }
        var sampler = try Sampler(parameters, prompt: [4, 9], vocabulary: 100)
        var inputs = StepInputs()
        sampler.requestHeads([7, 4], topCount: 0, into: &inputs)
        let changes = inputs.heads.map { head in
            inputs.logitChanges[head.firstChange..<head.firstChange + head.penalized].map { [Float($0.id), $0.amount] }
        }
        #expect(
            changes == [[[4, 0], [9, 0]], [[4, 0], [9, 0], [7, 1]], [[4, 1], [9, 0], [7, 1]]])
        // Nothing of that is kept.
        inputs.removeAll()
        sampler.requestHeads([], topCount: 0, into: &inputs)
        #expect(inputs.logitChanges == [.init(id: 4, amount: 0), .init(id: 9, amount: 0)])
    }
}

/// The CPU as a device that gives heads and keeps its rows.
final class HeadsBackend: Backend {
    let inner = CPUBackend(threads: 1)
    let heads = Atomic<Int>(0)
    let fetched = Atomic<Int>(0)
    let blocks = Atomic<Int>(0)
    /// Rows and blocks until one does not come; negative for none.
    let rowsToFailure = Atomic<Int>(-1)
    /// Steps wait while it is held.
    let gate = Mutex<Void>(())

    var device: DeviceInfo { inner.device }
    func supports(_ op: Op) -> Bool { inner.supports(op) }

    func load(
        _ source: any WeightSource, for program: Program, progress: @escaping @Sendable (Double) -> Void
    ) throws(BackendError) -> any LoadedWeights {
        try inner.load(source, for: program, progress: progress)
    }

    func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits
    ) throws(BackendError) -> any Executable {
        HeadsExecutable(try inner.compile(program, weights: weights, cache: cache, limits: limits), self)
    }

    private final class HeadsExecutable: Executable {
        let inner: any Executable
        let backend: HeadsBackend
        var rows: [[Float]] = []

        init(_ inner: any Executable, _ backend: HeadsBackend) {
            self.inner = inner
            self.backend = backend
        }

        var givesHeads: Bool { true }

        func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
            backend.gate.withLock { _ in }
            try inner.run(inputs, into: &outputs)
            rows.removeAll()
            for row in 0..<inputs.outputRows.count {
                outputs[row] = .row
                guard inputs.wantsHeads else { continue }
                var logits = outputs.withLogits(row: row) { logits in logits.indices.map { logits[$0] } }
                let request = inputs.heads[row]
                if request.isWanted {
                    var words = unsafe outputs.headBuffer(row: row).mutableSpan
                    var span = logits.mutableSpan
                    ReferenceHead.compute(request, inputs.logitChanges.span, &span, into: &words)
                    backend.heads.add(1, ordering: .relaxed)
                }
                rows.append(logits)
                outputs[row] = RowDelivery(isProcessed: request.isWanted, hasRow: false)
                for id in logits.indices { unsafe outputs.buffer[row * outputs.vocabulary + id] = .nan }
            }
        }

        private func countDown() throws(BackendError) {
            if backend.rowsToFailure.subtract(1, ordering: .relaxed).newValue == 0 { throw .lost("a row did not come") }
        }

        func fetch(_ row: Int, into outputs: inout StepOutputs) throws(BackendError) {
            backend.fetched.add(1, ordering: .relaxed)
            try countDown()
            for (id, logit) in rows[row].enumerated() { unsafe outputs.buffer[row * outputs.vocabulary + id] = logit }
            outputs[row].hasRow = true
        }

        func fetch(_ row: Int, block: Int, into outputs: inout StepOutputs) throws(BackendError) {
            backend.blocks.add(1, ordering: .relaxed)
            try countDown()
            for id in StepOutputs.tokens(of: block, vocabulary: outputs.vocabulary) {
                unsafe outputs.buffer[row * outputs.vocabulary + id] = rows[row][id]
            }
            outputs[row].block = block
        }
    }
}
