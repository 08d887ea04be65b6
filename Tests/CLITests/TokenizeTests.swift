import Foundation
import JSON
import TestSupport
import Testing

@Suite struct TokenizeTests {
    private let text = "Once upon a time, there was a cat.\nIt said: \"Hello!\" \u{1F600}\n"

    @Test func idsAreOneJSONArray() throws {
        let result = try Command.run("tokenize", "-m", ExampleModel.path, "-p", text, "--ids")
        expectSuccess(result)
        let ids = try #require(result.json.arrayValue)
        #expect(!ids.isEmpty && ids.allSatisfy { $0.intValue != nil })
        #expect(result.text.hasSuffix("]\n"))
    }

    @Test func fileAndStandardInputAreTakenByteForByte() throws {
        let folder = try TemporaryFolder()
        let data = Data(text.utf8)
        let file = try folder.write(data, as: "text.txt")
        let direct = try Command.run("tokenize", "-m", ExampleModel.path, "-p", text, "--ids")
        #expect(try Command.run("tokenize", "-m", ExampleModel.path, "-f", file, "--ids").text == direct.text)
        #expect(
            try Command.run("tokenize", "-m", ExampleModel.path, "-f", "-", "--ids", input: data).text == direct.text)
        let shorter = try Command.run("tokenize", "-m", ExampleModel.path, "-f", "-", "--ids", input: data.dropLast())
        #expect(shorter.text != direct.text, "the last newline counts")
    }

    @Test func bytesThatAreNoUTF8AreNoError() throws {
        let data = Data([0x41, 0xFF, 0xC3, 0x28, 0x80, 0x00, 0x42])
        expectSuccess(try Command.run("tokenize", "-m", ExampleModel.path, "-f", "-", "--ids", input: data))
    }

    @Test func eachTokenHasALine() throws {
        let ids = try #require(
            try Command.run("tokenize", "-m", ExampleModel.path, "-p", text, "--ids").json.arrayValue)
        let lines = try Command.run("tokenize", "-m", ExampleModel.path, "-p", text).text.split(separator: "\n")
        #expect(lines.count == ids.count)
        #expect(zip(lines, ids).allSatisfy { Int($0.split(separator: " ")[0]) == $1.intValue })
    }

    @Test func specialTokensFollowTheFlags() throws {
        guard let model = TestData.path("models/stories260K.gguf") else { return }
        func ids(_ arguments: String...) throws -> [Int] {
            let json = try Command.run(["tokenize", "-m", model, "-p", "a</s>", "--ids"] + arguments).json
            return try #require(json.arrayValue).compactMap(\.intValue)
        }
        #expect(try ids().first == 1 && ids().last == 2)
        #expect(try ids("--no-bos").first != 1)
        #expect(try ids("--no-parse-special").last != 2)
    }
}
