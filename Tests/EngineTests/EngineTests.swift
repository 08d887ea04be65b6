import AllocationCounter
import CPU
import Compute
import Engine
import GGUF
import Models
import TestSupport
import Testing
import Tokenizer

@Suite(.serialized) struct EngineTests {
    private static let tokenizer: Tokenizer? = try? Tokenizer(Model(path: ExampleModel.path).file.metadata)

    private func request(
        _ prompt: String, tokens: Int = 40, _ change: (inout GenerationRequest) -> Void = { _ in }
    ) throws -> GenerationRequest {
        var request = GenerationRequest(
            prompt: try #require(Self.tokenizer).encode(prompt, addSpecial: true, parseSpecial: true))
        request.maxNewTokens = tokens
        request.wantsLogprobs = true
        change(&request)
        return request
    }

    @Test func `Many requests at once get what each gets alone`() async throws {
        let prompts = (0..<16).map { "Once upon a time, there was a" + String(repeating: " little", count: $0) }
        let requests = try prompts.map { try request($0) }
        let generator = try Generator(servingRuntime(.test()))
        let alone = try requests.map { try generator.generate($0) { _ in true } }
        let engine = try Engine(servingRuntime(.test()), limits: .test())
        let answers = await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, await Answer.of(engine.submit(request))) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for index in requests.indices {
            #expect(answers[index]?.tokens == alone[index].tokens)
            #expect(answers[index]?.text == alone[index].text)
            #expect(answers[index]?.finish == alone[index].finish)
        }
        await engine.stop()
        #expect(await Answer.of(engine.submit(requests[0])).error.map { "\($0)" } == "the engine has been stopped")
        #expect(await engine.probe() == false)
    }

    /// Hears nothing.
    private final class Silence: GenerationSink {
        var isFull: Bool { false }
        func send(_ event: StreamEvent) {}
        func finish(throwing error: EngineError?) {}
    }

    /// After warm-up a step that decodes takes no memory from the allocator: neither the device's part nor scheduling, sampling,
    /// stopping and text.
    @Test(arguments: [1, 5])
    func `Decoding allocates nothing`(count: Int) throws {
        let batch = try Batch(servingRuntime(.test(batch: 8)))
        for id in 1...count {
            let request = try request("Once upon a time", tokens: 200) { $0.ignoreEndOfGeneration = true }
            try batch.submit(request, id: id, to: Silence())
        }
        for _ in 0..<80 { _ = try batch.step() }
        let before = allocation_count()
        for _ in 0..<60 { _ = try batch.step() }
        #expect(allocation_count() - before == 0)
        #expect(!batch.isEmpty)
    }

    @Test func `What was held back appears when the caller ends the text`() throws {
        let generator = try Generator(servingRuntime(.test()))
        let free = try generator.generate(request("Once upon a time")) { _ in true }
        // A stop string that starts in the fifth token and never comes.
        let request = try request("Once upon a time") {
            $0.stopStrings = [free.tokens[4].text + free.tokens[5].text + " never"]
            $0.stopBoundary = .excluded
        }
        var shown = ""
        var count = 0
        let result = try generator.generate(request) { event in
            shown += event.visibleText
            count += 1
            return count < 6
        }
        #expect(result.finish == nil && !result.heldBack.isEmpty)
        #expect(shown + result.heldBack == result.text && free.text.hasPrefix(result.text))
        #expect(result.text == free.tokens[..<6].map(\.text).joined())
    }
}
