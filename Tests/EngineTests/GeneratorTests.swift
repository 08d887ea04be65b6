import AllocationCounter
import CPU
import Compute
import Engine
import Foundation
import GGUF
import Models
import Quant
import TestSupport
import Testing
import Tokenizer

private func runtime(
    _ path: String = ExampleModel.path, threads: Int = 2, context: Int = 256, kv: KVFormat = .f16, stepRows: Int = 512,
    repack: Bool = true
) throws -> Runtime {
    let model = try Model(path: path)
    var configuration = Runtime.Configuration(contextLength: context, kvFormat: kv)
    configuration.stepRows = stepRows
    return try Runtime(
        model, try Tokenizer(model.file.metadata), on: CPUBackend(threads: threads, repack: repack), configuration)
}

extension Generator {
    fileprivate func request(_ prompt: String, _ change: (inout GenerationRequest) -> Void = { _ in })
        -> GenerationRequest
    {
        var request = GenerationRequest(
            prompt: runtime.tokenizer.encode(prompt, addSpecial: true, parseSpecial: true))
        request.maxNewTokens = 60
        request.wantsLogprobs = true
        change(&request)
        return request
    }

    fileprivate func run(_ prompt: String, _ change: (inout GenerationRequest) -> Void = { _ in }) throws
        -> GenerationResult
    {
        try generate(request(prompt, change)) { _ in true }
    }
}

private let prompt = "Once upon a time, there was a"

@Suite(.serialized) struct GeneratorTests {
    @Test func aStoryEndsByItself() throws {
        let result = try Generator(runtime(context: 512)).run("Once upon a time") { $0.maxNewTokens = nil }
        #expect(result.finish == .endOfSequence)
        #expect(result.text.count > 200)
        #expect(result.tokens.last?.isSpecial == true)
        #expect(result.text == result.tokens.filter { !$0.isSpecial }.map(\.text).joined())
    }

    /// llama.cpp's greedy continuation of the same file.
    @Test func greedyTextEqualsThePeers() throws {
        guard let path = TestData.path("models/stories260K.gguf"),
            let expectedPath = TestData.path("models/greedy-stories260K.txt")
        else { return }
        let expected = try #require(try readText(expectedPath))
        let result = try Generator(runtime(path, context: 128)).run("Once upon a time") { $0.maxNewTokens = 100 }
        #expect((" Once upon a time" + result.text).hasPrefix(expected))
    }

    @Test func theSameSeedGivesTheSameText() throws {
        let generator = try Generator(runtime())
        func sample(_ seed: UInt64) throws -> GenerationResult {
            try generator.run(prompt) {
                $0.sampling.temperature = 0.9
                $0.sampling.topP = 0.95
                $0.sampling.seed = seed
            }
        }
        let first = try sample(7)
        #expect(try sample(7).tokens == first.tokens)
        #expect(first.seed == 7)
        #expect(try sample(8).tokens != first.tokens)
    }

    @Test func aSeedIsReportedAndReproduces() throws {
        let generator = try Generator(runtime())
        let first = try generator.run(prompt) { $0.sampling.temperature = 1.2 }
        let again = try generator.run(prompt) {
            $0.sampling.temperature = 1.2
            $0.sampling.seed = first.seed
        }
        #expect(again.tokens == first.tokens)
        #expect(try generator.run(prompt).seed == nil)
    }

    /// Bit-identical log-probabilities for any chunking, number of threads and weight layout.
    @Test func nothingButTheRequestMatters() throws {
        let whole = try Generator(runtime()).run(prompt) { $0.wantsPromptLogprobs = true }
        let others = try [
            runtime(threads: 1), runtime(threads: 3), runtime(stepRows: 1), runtime(stepRows: 3),
            runtime(repack: false),
        ]
        for other in others {
            let result = try Generator(other).run(prompt) { $0.wantsPromptLogprobs = true }
            #expect(result.tokens == whole.tokens)
            #expect(result.prompt == whole.prompt)
        }
    }

    @Test(arguments: KVFormat.all.map(\.format.name))
    func everyKVFormatTellsAStory(name: String) throws {
        let kv = try #require(KVFormat.named(name))
        let text = try Generator(runtime(kv: kv)).run("Once upon a time").text
        #expect(text.hasPrefix(", there was a"))
    }

    @Test func stopStringsAndLimits() throws {
        let generator = try Generator(runtime())
        let free = try generator.run(prompt)
        let stop = String(free.text.dropFirst(10).prefix(5))
        let stopped = try generator.run(prompt) { $0.stopStrings = [stop] }
        #expect(stopped.finish == .stopSequence)
        #expect(stopped.text.hasSuffix(stop) && free.text.hasPrefix(stopped.text))

        let short = try generator.run(prompt) { $0.maxNewTokens = 3 }
        #expect(short.finish == .length && short.tokens == Array(free.tokens.prefix(3)))
        #expect(try generator.run(prompt) { $0.maxNewTokens = 0 }.tokens.isEmpty)

        let token = free.tokens[4].id
        let ended = try generator.run(prompt) { $0.stopTokens = [token] }
        #expect(ended.finish == .endOfSequence && ended.tokens.last?.id == token)
    }

    @Test func theContextEndsASequence() throws {
        let generator = try Generator(runtime(context: 24))
        let request = generator.request(prompt) {
            $0.maxNewTokens = nil
            $0.ignoreEndOfGeneration = true
        }
        let result = try generator.generate(request) { _ in true }
        #expect(result.finish == .length)
        #expect(request.prompt.count + result.tokens.count == 24)
        let long = String(repeating: "story ", count: 40)
        #expect(throws: EngineError.self) { try generator.run(long) }
    }

    @Test func theCallerCanEndIt() throws {
        let generator = try Generator(runtime(stepRows: 2))
        var seen = 0
        let result = try generator.generate(generator.request(prompt)) { _ in
            seen += 1
            return seen < 4
        }
        #expect(result.finish == nil && result.tokens.count == 4)
        let prefix = try generator.generate(generator.request(prompt), shouldContinue: { false }) { _ in true }
        #expect(prefix.finish == nil && prefix.tokens.isEmpty)
    }

    @Test func topTokensComeSortedAndHoldTheChosenOne() throws {
        let result = try Generator(runtime()).run(prompt) { $0.topTokens = 4 }
        #expect(result.topTokens.count == result.tokens.count)
        for (token, top) in zip(result.tokens, result.topTokens) {
            #expect(top.count >= 4 && top[0].id == token.id && top[0].logprob == token.logprob)
            #expect(top.map { $0.logprob ?? 0 } == top.map { $0.logprob ?? 0 }.sorted(by: >))
        }
    }

    @Test func promptLogprobsEqualThoseOfTheSameTokensGenerated() throws {
        let generator = try Generator(runtime())
        let generated = try generator.run(prompt) { $0.maxNewTokens = 20 }
        var request = generator.request(prompt)
        let length = request.prompt.count
        request.prompt += generated.tokens.map(\.id)
        request.maxNewTokens = 1
        request.wantsPromptLogprobs = true
        let scored = try generator.generate(request) { _ in true }
        #expect(scored.prompt.first?.logprob == nil)
        #expect(scored.prompt.dropFirst(length).map(\.logprob) == generated.tokens.map(\.logprob))
    }

    /// After warm-up a decode step takes no memory from the allocator.
    @Test func aDecodeStepAllocatesNothing() throws {
        let runtime = try runtime()
        let tokens: [TokenID] = [5]
        for position in 0..<40 {
            try runtime.step([.init(tokens: tokens[...], position: position, outputs: 1)])
        }
        let chunks = (40..<80).map { [Runtime.Chunk(tokens: tokens[...], position: $0, outputs: 1)] }
        let before = allocation_count()
        for chunk in chunks { try runtime.step(chunk) }
        #expect(allocation_count() - before == 0)
    }

    private func readText(_ path: String) throws -> String? {
        try String(contentsOfFile: path, encoding: .utf8)
    }
}
