import CPU
import Compute
@testable import Engine
import GGUF
import Models
import Synchronization
import TestSupport
import Testing
import Tokenizer

/// A device that fails when it is told to.
private final class FailingBackend: Backend {
    let inner = CPUBackend(threads: 2)
    /// Steps until the next failure; negative for none.
    let stepsToFailure = Atomic<Int>(-1)
    let failsToCompile = Atomic<Bool>(false)
    let compilations = Atomic<Int>(0)
    /// The next step gives logits that are no numbers.
    let spoilsLogits = Atomic<Bool>(false)
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
        if failsToCompile.load(ordering: .relaxed) { throw .device("it is gone") }
        compilations.add(1, ordering: .relaxed)
        return FailingExecutable(
            try inner.compile(program, weights: weights, cache: cache, limits: limits), self, program.vocabularySize)
    }

    private final class FailingExecutable: Executable {
        let inner: any Executable
        let backend: FailingBackend
        let vocabulary: Int
        var isBroken = false

        init(_ inner: any Executable, _ backend: FailingBackend, _ vocabulary: Int) {
            self.inner = inner
            self.backend = backend
            self.vocabulary = vocabulary
        }

        var hostWorkers: Int { inner.hostWorkers }
        func runOnHost(_ body: @escaping (Int) -> Void) { inner.runOnHost(body) }

        func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
            backend.gate.withLock { _ in }
            if backend.stepsToFailure.subtract(1, ordering: .relaxed).newValue == 0 { isBroken = true }
            // A device that has failed stays so until it is set up again.
            if isBroken { throw .device("it fell over") }
            try inner.run(inputs, into: &outputs)
            if backend.spoilsLogits.exchange(false, ordering: .relaxed) {
                for index in 0..<vocabulary { unsafe outputs.buffer[index] = .nan }
            }
        }
    }
}

/// Keeps all reports.
private final class Reports: EngineObserver {
    private let reports = Mutex<[StepReport]>([])

    func stepFinished(_ report: StepReport) { reports.withLock { $0.append(report) } }
    var all: [StepReport] { reports.withLock { $0 } }
}

@Suite(.serialized, .timeLimit(.minutes(60))) struct FaultTests {
    private static let tokenizer = Result { try Tokenizer(Model(path: ExampleModel.path).file.metadata) }

    private func request(_ text: String = "Once upon a time", tokens: Int = 30) throws -> GenerationRequest {
        var request = GenerationRequest(
            prompt: try Self.tokenizer.get().encode(text, addSpecial: true, parseSpecial: true))
        request.maxNewTokens = tokens
        request.ignoreEndOfGeneration = true
        return request
    }

    private func answers(_ streams: [GenerationStream]) async -> [Answer] {
        await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, stream) in streams.enumerated() { group.addTask { (index, await Answer.of(stream)) } }
            var answers = Array(repeating: Answer(), count: streams.count)
            for await (index, answer) in group { answers[index] = answer }
            return answers
        }
    }

    @Test func `A failed device ends the requests in flight, and a probe sets it up again`() async throws {
        let backend = FailingBackend()
        let reports = Reports()
        let engine = try Engine(servingRuntime(.test(), backend: backend), limits: .test(), observer: reports)
        let before = await Answer.of(engine.submit(try request()))
        #expect(before.tokens.count == 30 && engine.isHealthy)

        backend.stepsToFailure.store(10, ordering: .relaxed)
        let requests = try (0..<4).map { _ in try request(tokens: 100) }
        let streams = backend.gate.withLock { _ in requests.map(engine.submit) }
        let failed = await answers(streams)
        for answer in failed {
            let line = answer.error.map { "\($0)" } ?? "no error"
            #expect(line.hasSuffix("stories.gguf: the device failed: it fell over"))
            guard case .backend = answer.error else {
                Issue.record("\(line) is no device error")
                continue
            }
        }
        #expect(!engine.isHealthy)
        #expect(reports.all.last?.failed == true)

        // While the device is gone, probes say so and requests end with the reason.
        backend.failsToCompile.store(true, ordering: .relaxed)
        #expect(await engine.probe() == false)
        let refused = await Answer.of(engine.submit(try request()))
        let reason = refused.error.map { "\($0)" } ?? "no error"
        #expect(reason.contains("the device failed: it is gone") && refused.tokens.isEmpty)
        #expect(!engine.isHealthy)

        // Once it is back, a probe finds out, at the latest when the pause after the last attempt is over.
        backend.failsToCompile.store(false, ordering: .relaxed)
        let deadline = ContinuousClock.now + .seconds(60)
        while await !engine.probe(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        #expect(engine.isHealthy)
        let after = await Answer.of(engine.submit(try request()))
        // The cache of before is gone, and with it the prefix.
        #expect(after.tokens == before.tokens && after.cachedTokens == 0)
        await engine.stop()
    }

    @Test func `A device that keeps failing is tried more and more seldom`() {
        let start = ContinuousClock.now
        func pauses(_ attempts: Int, each length: Duration) -> [Duration] {
            var pace = RecoveryPace()
            var now = start
            return (0..<attempts).map { _ in
                #expect(pace.isDue(at: now))
                pace.failed(from: now, to: now + length)
                now += length
                let pause = pace.remaining(at: now)
                #expect(!pace.isDue(at: now + pause - .milliseconds(1)))
                now += pause
                return pause
            }
        }
        #expect(pauses(8, each: .zero) == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(pauses(6, each: .seconds(120)) == [2, 4, 8, 16, 16, 16].map { .seconds(60 * $0) })
        var pace = RecoveryPace()
        pace.failed(from: start, to: start + .seconds(120))
        pace.succeeded()
        #expect(pace.isDue(at: start))
    }

    @Test func `The next request recovers a device that failed`() async throws {
        let backend = FailingBackend()
        let engine = try Engine(servingRuntime(.test(), backend: backend), limits: .test())
        backend.stepsToFailure.store(1, ordering: .relaxed)
        #expect(await Answer.of(engine.submit(try request())).error != nil)
        #expect(await Answer.of(engine.submit(try request())).tokens.count == 30)
        #expect(engine.isHealthy && backend.compilations.load(ordering: .relaxed) == 2)
        await engine.stop()
    }

    @Test func `A device that is lost while a row is fetched fails all requests and recovers`() async throws {
        let backend = HeadsBackend()
        let engine = try Engine(servingRuntime(.test(), backend: backend), limits: .test())
        backend.rowsToFailure.store(5, ordering: .relaxed)
        var drawing = try request()
        (drawing.sampling.doSample, drawing.sampling.seed) = (true, 3)
        let requests = [drawing, try request()]
        let failed = await answers(backend.gate.withLock { _ in requests.map(engine.submit) })
        for answer in failed {
            let line = answer.error.map { "\($0)" } ?? "no error"
            #expect(line.hasSuffix("stories.gguf: the device failed: a row did not come"))
        }
        #expect(!engine.isHealthy)
        #expect(await Answer.of(engine.submit(drawing)).tokens.count == 30)
        #expect(engine.isHealthy)
        await engine.stop()
    }

    @Test func `An error of one request leaves the others alone`() async throws {
        let backend = FailingBackend()
        let engine = try Engine(servingRuntime(.test(), backend: backend), limits: .test())
        let alone = await Answer.of(engine.submit(try request("The little dog", tokens: 60)))
        let good = engine.submit(try request("The little dog", tokens: 60))
        var bad = try request()
        bad.sampling.logitBias = [100_000: 1]
        #expect(
            await Answer.of(engine.submit(bad)).error.map { "\($0)" }
                == "logit bias must be for tokens of the vocabulary")
        bad.prompt = []
        #expect(await Answer.of(engine.submit(bad)).error != nil)
        bad.prompt = Array(repeating: 1, count: 300)
        #expect(
            await Answer.of(engine.submit(bad)).error.map { "\($0)" }
                == "the prompt has 300 tokens and the context only 256: raise --ctx-size or shorten the prompt")
        #expect(await Answer.of(good).tokens == alone.tokens)

        // Logits that are no numbers end the request that they are for.
        backend.spoilsLogits.store(true, ordering: .relaxed)
        let spoiled = await answers(try (0..<4).map { _ in engine.submit(try request()) })
        #expect(spoiled.count { $0.error != nil } == 1)
        #expect(spoiled.count { $0.tokens.count == 30 } == 3)
        #expect(engine.isHealthy)
        await engine.stop()
    }

    @Test func `Stopping ends all requests`() async throws {
        let engine = try Engine(servingRuntime(.test()), limits: .test())
        let streams = try (0..<20).map { _ in engine.submit(try request(tokens: 200)) }
        await engine.stop()
        for answer in await answers(streams) { #expect(answer.error.map { "\($0)" } == "the engine has been stopped") }
        await engine.stop()
        #expect(await engine.probe() == false)
    }

    @Test func `A reader that leaves frees its blocks and stalls nobody`() async throws {
        let reports = Reports()
        let engine = try Engine(
            servingRuntime(.test(batchTokens: 1024)), limits: .test(batchTokens: 1024), observer: reports)
        let alone = await Answer.of(engine.submit(try request(tokens: 100)))
        // Readers that take one event and go, readers that never read, and one that reads.
        var silent: [GenerationStream] = []
        for _ in 0..<6 {
            var iterator = engine.submit(try request(tokens: 200)).makeAsyncIterator()
            _ = try await iterator.next()
            silent.append(engine.submit(try request(tokens: 200)))
        }
        let answer = await Answer.of(engine.submit(try request(tokens: 100)))
        #expect(answer.tokens == alone.tokens)
        for stream in silent { stream.cancel() }
        silent = []
        #expect(await engine.probe())
        #expect(await engine.probe())
        let last = try #require(reports.all.last)
        #expect(last.running == 0 && last.waiting == 0 && last.tokensInUse == 0)
        await engine.stop()
    }

    @Test func `A slow reader gets everything, and others do not wait for it`() async throws {
        let limits = EngineLimits.test(context: 600, batchTokens: 700, batch: 2)
        let engine = try Engine(servingRuntime(limits), limits: limits)
        var alone = Answer()
        for try await event in engine.submit(try request(tokens: 500)) { alone.take(event) }
        // Nobody reads this stream until others have had the whole cache.
        let slow = engine.submit(try request(tokens: 500))
        for _ in 0..<2 { #expect(await Answer.of(engine.submit(try request(tokens: 400))).tokens.count == 400) }
        let answer = await Answer.of(slow)
        #expect(answer.tokens == alone.tokens && answer.error == nil)
        await engine.stop()
    }

    /// Clients that come, read at their own pace and leave when they like, for a while.
    @Test func `Many clients that come and go`() async throws {
        let reports = Reports()
        let limits = EngineLimits.test(batchTokens: 1500, speculation: 2)
        let engine = try Engine(servingRuntime(limits), limits: limits, observer: reports)
        let requests = try ["Once upon a time", "The", "The little dog", "One day, a girl named Lily"].enumerated().map
        {
            var request = try request($1, tokens: 60 + 30 * $0)
            request.sampling.temperature = 0.8
            request.sampling.seed = UInt64($0)
            request.wantsLogprobs = true
            return request
        }
        var alone: [Answer] = []
        for request in requests { alone.append(await Answer.of(engine.submit(request))) }
        let end = ContinuousClock.now + .seconds(3 * Soak.factor)
        let finished = await withTaskGroup(of: Int.self) { [alone] group in
            for client in 0..<32 {
                group.addTask {
                    var random = SplitMix(UInt64(client))
                    var finished = 0
                    while finished == 0 || ContinuousClock.now < end {
                        let index = Int.random(in: 0..<requests.count, using: &random)
                        let patience = Int.random(in: 0..<120, using: &random)
                        let answer = await Self.read(engine.submit(requests[index]), at: patience / 30, until: patience)
                        #expect(answer.error == nil)
                        guard answer.finish != nil else { continue }
                        #expect(answer.isIdentical(to: alone[index]))
                        finished += 1
                    }
                    return finished
                }
            }
            return await group.reduce(0, +)
        }
        #expect(finished >= 32)
        // The answer to the second comes after the report of what the cancellations before the first have left.
        #expect(await engine.probe())
        #expect(await engine.probe())
        let last = try #require(reports.all.last)
        #expect(last.running == 0 && last.waiting == 0 && last.tokensInUse == 0)
        await engine.stop()
    }

    /// Reads a stream, resting `pace` milliseconds now and then, and leaves after `count` events.
    private static func read(_ stream: GenerationStream, at pace: Int, until count: Int) async -> Answer {
        var answer = Answer()
        do {
            var seen = 0
            for try await event in stream {
                answer.take(event)
                seen += 1
                if seen >= count, count < 100 { return answer }
                if pace > 0, seen.isMultiple(of: 8) { try await Task.sleep(for: .milliseconds(pace)) }
            }
        } catch {
            answer.error = error as? EngineError ?? .stopped
        }
        return answer
    }
}
