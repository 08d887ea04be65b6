import Foundation
import JSON
import TestSupport
import Testing

@Suite struct PerplexityTests {
    /// Every model file against what llama.cpp measures of it.
    @Test func agreesWithLlamaCpp() throws {
        guard let folder = TestData.path("models") else { return }
        let expected = try JSON.parse(String(contentsOfFile: folder + "/expected.json", encoding: .utf8))
        let files = try #require(expected["perplexity"]?.objectValue)
        let text = try folder + "/" + #require(expected["text"]?.stringValue)
        #expect(files.count > 0)
        for (name, figures) in files {
            let context = try #require(figures["ctx_size"]?.intValue)
            let perplexity = try #require(figures["ppl"]?.doubleValue)
            let error = try #require(figures["error"]?.doubleValue)
            let result = try Command.run(
                "perplexity", "-m", folder + "/" + name, "-f", text, "-c", "\(context)", "--json")
            expectSuccess(result)
            let ours = try result.json
            let value = try #require(ours["perplexity"]?.doubleValue)
            #expect(abs(value / perplexity - 1) < 0.005, "\(name): \(value), llama.cpp \(perplexity)")
            let ourError = try #require(ours["error"]?.doubleValue)
            #expect(abs(ourError / error - 1) < 0.05, "\(name): +/- \(ourError), llama.cpp \(error)")
            let (tokens, chunks) = (ours["tokens"]?.intValue ?? 0, ours["chunks"]?.intValue ?? 0)
            #expect(chunks == tokens / context && chunks > 1)
        }
    }

    @Test func shortTextIsAnError() throws {
        let result = try Command.run("perplexity", "-m", ExampleModel.path, "-f", "-", input: Data("Too short.".utf8))
        expectFailure(result, mentions: "tokens")
    }
}
