import Foundation
import JSON
import TestSupport
import Testing

@Suite struct RunTests {
    private let prompt = "Once upon a time"

    /// A text that would go on for minutes.
    private var endless: [String] {
        ["-m", ExampleModel.path, "-p", prompt, "--ignore-eos", "--temperature", "1.5", "-c", "20000", "--force-ctx"]
    }

    private func run(_ arguments: String..., input: Data = Data()) throws -> Command.Result {
        try Command.run(["-m", ExampleModel.path] + arguments, input: input)
    }

    @Test func greedyTextIsLlamaCpps() throws {
        guard let folder = TestData.path("models") else { return }
        let expected = try String(contentsOfFile: folder + "/greedy-stories260K.txt", encoding: .utf8)
        let result = try Command.run(
            "-m", folder + "/stories260K.gguf", "-p", prompt, "-n", "100", "--return-full-text")
        expectSuccess(result)
        // Its detokenizer prints the space that SentencePiece puts before the first word, and it stopped a few tokens earlier.
        #expect(result.text.hasPrefix(expected.dropFirst()))
        #expect(expected.count > 200)
    }

    @Test func onlyTheTextGoesToStdout() throws {
        let plain = try run("-p", prompt, "-n", "20", "--quiet")
        let verbose = try run("-p", prompt, "-n", "20", "--verbose")
        expectSuccess(plain)
        #expect(!plain.output.isEmpty && plain.diagnostics.isEmpty)
        #expect(verbose.output == plain.output)
        for word in ["tokens/s", "seed", "KV cache"] { #expect(verbose.diagnostics.contains(word)) }
    }

    @Test func promptComesFromArgumentFileOrStandardInput() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Data(prompt.utf8), as: "prompt.txt")
        let argument = try run("-p", prompt, "-n", "20")
        #expect(try run("-f", file, "-n", "20").output == argument.output)
        #expect(try run("-f", "-", "-n", "20", input: Data(prompt.utf8)).output == argument.output)
    }

    @Test func detailsAreTGIsResponse() throws {
        let result = try run(
            "-p", prompt, "-n", "6", "--ignore-eos", "--details", "--decoder-input-details", "--top-n-tokens", "2")
        expectSuccess(result)
        let json = try result.json
        #expect(json.objectValue?.keys == ["generated_text", "details"])
        let text = try #require(json["generated_text"]?.stringValue)
        let details = try #require(json["details"])
        #expect(
            details.objectValue?.keys == [
                "finish_reason", "generated_tokens", "seed", "prefill", "tokens", "top_tokens",
            ])
        #expect(details["finish_reason"]?.stringValue == "length")
        #expect(details["generated_tokens"]?.intValue == 6)
        #expect(details["seed"]?.isNull == true, "greedy has no seed")

        let tokens = try #require(details["tokens"]?.arrayValue)
        #expect(tokens.count == 6)
        for token in tokens {
            #expect(token.objectValue?.keys == ["id", "text", "logprob", "special"])
            #expect((token["logprob"]?.doubleValue ?? 1) <= 0)
        }
        let shown = tokens.filter { $0["special"]?.boolValue == false }.compactMap { $0["text"]?.stringValue }
        #expect(shown.joined() == text)

        let prefill = try #require(details["prefill"]?.arrayValue)
        let ids = try #require(
            try Command.run("tokenize", "-m", ExampleModel.path, "-p", prompt, "--ids").json.arrayValue)
        #expect(prefill.compactMap { $0["id"] } == ids)
        #expect(prefill[0]["logprob"]?.isNull == true)
        #expect(prefill.dropFirst().allSatisfy { ($0["logprob"]?.doubleValue ?? 1) <= 0 })

        let top = try #require(details["top_tokens"]?.arrayValue)
        #expect(top.count == 6)
        for (token, candidates) in zip(tokens, top) {
            #expect((candidates.arrayValue?.count ?? 0) >= 2)
            #expect(candidates[0]?["id"] == token["id"], "greedy takes the likeliest")
        }
    }

    @Test func streamedTextIsTheDetailsText() throws {
        let streamed = try run("-p", prompt, "-n", "30").text
        let json = try run("-p", prompt, "-n", "30", "--details").json
        #expect(json["generated_text"]?.stringValue == streamed)
        let full = try run("-p", prompt, "-n", "30", "--return-full-text").text
        #expect(full == prompt + streamed)
    }

    @Test func seedsReproduce() throws {
        func sample(_ arguments: String...) throws -> JSON {
            try Command.run(
                ["-m", ExampleModel.path, "-p", prompt, "-n", "40", "--temperature", "1.2", "--details"] + arguments
            ).json
        }
        let first = try sample("--seed", "18446744073709551615")
        #expect(first["details"]?["seed"]?.uintValue == .max)
        #expect(try sample("--seed", "18446744073709551615", "-t", "1") == first)
        #expect(try sample("--seed", "1")["generated_text"] != first["generated_text"])
        let drawn = try #require(try sample()["details"]?["seed"]?.uintValue)
        let again = try sample("--seed", "\(drawn)")
        #expect(again["details"]?["seed"]?.uintValue == drawn)
    }

    @Test func temperatureZeroIsGreedy() throws {
        let greedy = try run("-p", prompt, "-n", "30")
        #expect(try run("-p", prompt, "-n", "30", "--temperature", "0").output == greedy.output)
    }

    @Test func stopStringsEndTheText() throws {
        let text = try run("-p", prompt, "-n", "60").text
        // From the middle of a word to the middle of the next: no token boundary.
        let words = text.split(separator: " ")
        let stop = "\(words[4].suffix(1)) \(words[5].prefix(1))"
        let end = try #require(text.range(of: stop)).upperBound
        let result = try run("-p", prompt, "-n", "60", "--stop", "never to be seen", "--stop", stop, "--details")
        let json = try result.json
        #expect(json["generated_text"]?.stringValue == String(text[..<end]))
        #expect(json["details"]?["finish_reason"]?.stringValue == "stop_sequence")
        #expect(try run("-p", prompt, "-n", "60", "--stop", stop).text == text[..<end])
    }

    @Test func eosIdEndsTheText() throws {
        let json = try run("-p", prompt, "-n", "20", "--details").json
        let tokens = try #require(json["details"]?["tokens"]?.arrayValue)
        let third = try #require(tokens[2]["id"]?.intValue)
        let first = try #require(tokens.firstIndex { $0["id"]?.intValue == third })
        let stopped = try run("-p", prompt, "-n", "20", "--eos-id", "\(third)", "--details").json
        #expect(stopped["details"]?["finish_reason"]?.stringValue == "eos_token")
        #expect(stopped["details"]?["generated_tokens"]?.intValue == first + 1)
    }

    @Test func contextEndsTheText() throws {
        let result = try run("-p", prompt, "-c", "32", "--ignore-eos", "--details")
        expectSuccess(result)
        let details = try #require(result.json["details"])
        let ids = try #require(
            try Command.run("tokenize", "-m", ExampleModel.path, "-p", prompt, "--ids").json.arrayValue)
        #expect(details["finish_reason"]?.stringValue == "length")
        #expect(details["generated_tokens"]?.intValue == 32 - ids.count)
    }

    @Test func `-1 tokens are as many as there is room for`() throws {
        let arguments = ["-m", ExampleModel.path, "-p", prompt, "--ignore-eos", "-c", "24"]
        let unlimited = try Command.run(arguments + ["-n", "-1"])
        expectSuccess(unlimited)
        #expect(try unlimited.output == Command.run(arguments).output)
        #expect(try unlimited.output != Command.run(arguments + ["-n", "2"]).output)
    }

    @Test func promptLongerThanTheContextIsAnError() throws {
        let long = String(repeating: "Once upon a time there was a cat. ", count: 20)
        expectFailure(try run("-p", long, "-c", "32"), mentions: "32")
    }

    @Test func threadsDoNotChangeTheNumbers() throws {
        let arguments = ["-p", prompt, "-n", "20", "--details", "--decoder-input-details", "--top-n-tokens", "5"]
        let one = try Command.run(["-m", ExampleModel.path, "-t", "1"] + arguments)
        let two = try Command.run(["-m", ExampleModel.path, "-t", "2"] + arguments)
        #expect(one.output == two.output)
    }

    @Test func closedPipeEndsQuietly() throws {
        let running = try Command.Running(endless)
        try running.input.fileHandleForWriting.close()
        _ = try #require(try running.output.fileHandleForReading.read(upToCount: 1))
        try running.output.fileHandleForReading.close()
        let result = running.finishDiagnostics()
        #expect(result.exitCode == 0)
        #expect(result.diagnostics.isEmpty)
    }

    @Test func interruptEndsAtTheNextToken() throws {
        let running = try Command.Running(endless + ["--verbose"])
        try running.input.fileHandleForWriting.close()
        let first = try #require(try running.output.fileHandleForReading.read(upToCount: 1))
        running.process.interrupt()
        let result = running.finish()
        #expect(result.exitCode == 130, "\(result.diagnostics)")
        #expect(result.diagnostics.contains("tokens/s"), "statistics of what was written")
        #expect(String(validating: first + result.output, as: UTF8.self) != nil, "no broken character")
    }

    @Test func interruptWhileWaitingForThePromptEndsAtOnce() throws {
        let running = try Command.Running(["-m", ExampleModel.path, "-f", "-"])
        usleep(200_000)
        running.process.interrupt()
        let result = running.finish()
        #expect(result.exitCode == 130)
        #expect(result.output.isEmpty)
    }
}
