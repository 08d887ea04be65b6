import CPU
import Compute
import Engine
import GGUF
import Models
import Synchronization
import TestSupport
import Testing
import Tokenizer

/// The determinism contract: the same tokens and bit-identical log-probabilities, whatever else happens.
@Suite(.serialized) struct ContractTests {
    /// Requests of many kinds, some of them with equal starts, and what each gives alone.
    private struct Work: Sendable {
        var requests: [GenerationRequest]
        var alone: [Answer]
    }

    private static let stories = Result { try work(ExampleModel.path, count: 16, tokens: 90) }

    private static func work(
        _ path: String, count: Int, tokens: Int, _ change: (inout GenerationRequest) -> Void = { _ in }
    ) throws -> Work {
        let tokenizer = try Tokenizer(Model(path: path).file.metadata)
        let requests = (0..<count).map { index in
            let text =
                (index.isMultiple(of: 3)
                    ? "Once upon a time, there was a little girl named Lily. She loved to play" : "The")
                + String(repeating: " with the big red ball and the dog", count: index % 5 + 1)
            var request = GenerationRequest(prompt: tokenizer.encode(text, addSpecial: true, parseSpecial: true))
            request.maxNewTokens = tokens - index % 7
            request.wantsLogprobs = true
            request.topTokens = index % 3
            request.wantsPromptLogprobs = index % 5 == 4
            if index % 2 == 1 {
                request.sampling.temperature = 0.9
                request.sampling.topP = 0.95
                request.sampling.seed = UInt64(index)
            }
            if index % 4 == 2 { request.sampling.repetitionPenalty = 1.2 }
            if index % 8 == 6 { request.sampling.logitBias = [request.prompt[1]: 3] }
            change(&request)
            return request
        }
        let alone = try requests.map { request in
            // A runtime of its own: nothing is cached.
            let batch = try Batch(servingRuntime(.test(batch: 1), path: path))
            let recorder = Recorder()
            try batch.submit(request, id: 1, to: recorder)
            while try batch.step() != nil {}
            return recorder.answer
        }
        return Work(requests: requests, alone: alone)
    }

    /// Runs all requests together and compares each with itself alone.
    private func check(
        _ work: Work, on runtime: Runtime, _ options: Batch.Options = .init(), rounds: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Totals {
        let batch = Batch(runtime, options)
        var totals = Totals()
        var id = 0
        for _ in 0..<rounds {
            var recorders: [Recorder] = []
            for request in work.requests {
                id += 1
                let recorder = Recorder()
                try batch.submit(request, id: id, to: recorder)
                recorders.append(recorder)
            }
            while let report = try batch.step() { totals.add(report) }
            for (recorder, alone) in zip(recorders, work.alone) {
                totals.cached += recorder.cachedTokens ?? 0
                #expect(recorder.answer.isIdentical(to: alone), sourceLocation: sourceLocation)
            }
        }
        #expect(batch.isEmpty && batch.blocksInUse == 0, sourceLocation: sourceLocation)
        return totals
    }

    @Test func `Company does not matter`() throws {
        let totals = try check(Self.stories.get(), on: servingRuntime(.test()))
        #expect(totals.widest >= 16)
    }

    @Test func `Prefix hits do not matter`() throws {
        let totals = try check(Self.stories.get(), on: servingRuntime(.test(batchTokens: 8192)), rounds: 2)
        #expect(totals.cached > 200)
    }

    @Test(arguments: [1, 7, 33])
    func `Chunks do not matter`(prefill: Int) throws {
        var options = Batch.Options()
        options.maxPrefillTokens = prefill
        try #expect(check(Self.stories.get(), on: servingRuntime(.test()), options).promptRows > 300)
    }

    /// Windowed layers keep what is in reach only, and prefixes count only with their windows.
    @Test(arguments: [(40, 4096, 33), (40, 256, 19), (70, 512, 100), (7, 300, 64)])
    func `Windows do not matter`(window: Int, batchTokens: Int, prefill: Int) throws {
        let path = try WindowedStories.path(window: window)
        var options = Batch.Options()
        options.speculation = 2
        options.maxPrefillTokens = prefill
        let runtime = try servingRuntime(.test(batchTokens: batchTokens, batch: 6), path: path)
        let totals = try check(Self.work(path, count: 10, tokens: 90), on: runtime, options, rounds: 2)
        #expect(totals.widest > 1)
    }

    @Test func `Pre-emption does not matter`() throws {
        let totals = try check(Self.stories.get(), on: servingRuntime(.test(batchTokens: 256)))
        #expect(totals.preempted > 2)
    }

    @Test func `Speculation does not matter`() throws {
        var options = Batch.Options()
        options.speculation = 4
        // A text that repeats itself is easily guessed.
        let work = try Self.work(ExampleModel.path, count: 6, tokens: 80) {
            if $0.sampling.isGreedy { $0.sampling.repetitionPenalty = 0.7 }
        }
        let without = try check(work, on: servingRuntime(.test()))
        let with = try check(work, on: servingRuntime(.test()), options)
        #expect(with.acceptedDrafts > 20)
        #expect(with.steps < without.steps)
    }

    /// A device that gives heads of rows, and rows where a head is not enough.
    @Test(arguments: [0, 3])
    func `Heads do not matter`(speculation: Int) throws {
        var options = Batch.Options()
        options.speculation = speculation
        let work = try Self.work(ExampleModel.path, count: 12, tokens: 60) { request in
            let index = request.prompt.count % 6
            request.sampling.seed = UInt64(request.prompt.count)
            if index == 0 { request.sampling.typicalP = 0.9 }
            if index == 1 { (request.sampling.frequencyPenalty, request.sampling.presencePenalty) = (0.3, -0.2) }
            if index == 2 { request.sampling.topK = 20 }
            if index == 3, request.sampling.isGreedy { request.sampling.repetitionPenalty = 0.7 }
            if index > 3 { (request.sampling.temperature, request.sampling.topP) = (1.2, nil) }
        }
        let backend = HeadsBackend()
        let totals = try check(work, on: servingRuntime(.test(), backend: backend), options)
        let (heads, fetched) = (backend.heads.load(ordering: .relaxed), backend.fetched.load(ordering: .relaxed))
        #expect(heads > 200 && fetched > 10 && totals.widest > 8)
        #expect(backend.blocks.load(ordering: .relaxed) > 10)
        #expect(speculation == 0 || totals.acceptedDrafts > 0)
    }

    @Test(arguments: [1, 3])
    func `Threads do not matter`(threads: Int) throws {
        _ = try check(Self.stories.get(), on: servingRuntime(.test(), threads: threads))
    }

    /// Quantized types of the reference data, all conditions at once.
    @Test(arguments: ["Q4_K_M", "Q4_0", "IQ4_NL", "Q8_0", "F16"])
    func `Formats do not matter`(name: String) throws {
        guard let path = TestData.path("models/llama-k-\(name).gguf") else { return }
        var options = Batch.Options()
        options.speculation = 3
        options.sharedPrefillTokens = 19
        _ = try check(
            Self.work(path, count: 6, tokens: 20), on: servingRuntime(.test(batchTokens: 256), path: path), options)
    }

    /// Everything at once: requests arrive, are cancelled and rest at random, beside each other, with little room.
    @Test(arguments: Soak.seeds(6))
    func `All of it together does not matter`(seed: UInt64) throws {
        try MixedTrace(seed: seed, Self.stories.get()).run()
    }

    /// A course of random events on a batch of random size.
    private struct MixedTrace {
        let batch: Batch
        let work: Work
        var random: SplitMix
        var open: [Int: (index: Int, recorder: Recorder)] = [:]
        var finished = 0

        init(seed: UInt64, _ work: Work) throws {
            self.work = work
            random = SplitMix(seed)
            var options = Batch.Options()
            options.speculation = Int.random(in: 0...4, using: &random)
            options.sharedPrefillTokens = Int.random(in: 5...80, using: &random)
            options.maxPrefillTokens = Int.random(in: 20...200, using: &random)
            let limits = EngineLimits.test(
                batchTokens: Int.random(in: 256...1500, using: &random), batch: Int.random(in: 2...16, using: &random))
            batch = try Batch(servingRuntime(limits, threads: Int.random(in: 1...2, using: &random)), options)
        }

        func run() throws {
            var trace = self
            try trace.runAll()
        }

        private mutating func runAll() throws {
            for id in 1...60 {
                try submit(id)
                for _ in 0..<Int.random(in: 0...6, using: &random) { try step() }
                if let id = open.keys.sorted().randomElement(using: &random), Int.random(in: 0..<6, using: &random) == 0
                {
                    batch.cancel(id)
                    open[id] = nil
                }
                for (id, request) in open where request.recorder.isFull { resume(id) }
            }
            while !batch.isEmpty {
                while try batch.step() != nil {}
                for id in open.keys { resume(id) }
            }
            settle()
            #expect(open.isEmpty && batch.blocksInUse == 0 && finished > 30)
        }

        private mutating func submit(_ id: Int) throws {
            let index = Int.random(in: 0..<work.requests.count, using: &random)
            let recorder = Recorder(capacity: Int.random(in: 5...60, using: &random))
            open[id] = (index, recorder)
            try batch.submit(work.requests[index], id: id, to: recorder)
        }

        private mutating func step() throws {
            _ = try batch.step()
            settle()
        }

        private func resume(_ id: Int) {
            open[id]?.recorder.read()
            batch.resume(id)
        }

        private mutating func settle() {
            for (id, request) in open where request.recorder.hasEnded {
                #expect(request.recorder.answer.isIdentical(to: work.alone[request.index]))
                open[id] = nil
                finished += 1
            }
        }
    }
}

/// What many steps did together.
struct Totals {
    var steps = 0
    var promptRows = 0
    var preempted = 0
    var acceptedDrafts = 0
    var cached = 0
    var widest = 0

    mutating func add(_ report: StepReport) {
        steps += 1
        promptRows += report.promptRows
        preempted += report.preempted
        acceptedDrafts += report.acceptedDrafts.reduce(0, +)
        widest = max(widest, report.running)
    }
}
