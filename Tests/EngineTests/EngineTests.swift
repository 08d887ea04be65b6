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
}
