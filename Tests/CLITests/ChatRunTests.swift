import Foundation
import JSON
import TestSupport
import Testing

@Suite struct ChatRunTests {
    private let prompt = "Tell me a story about a cat."

    /// The ids of the prompt that a run continues.
    private func promptIDs(_ arguments: String...) throws -> [JSON?] {
        let result = try Command.run(
            ["-m", ExampleModel.path, "-n", "1", "--decoder-input-details"] + arguments)
        expectSuccess(result)
        return try #require(result.json["details"]?["prefill"]?.arrayValue).map { $0["id"] }
    }

    /// The ids of a conversation as `template` and `tokenize` give them.
    private func templatedIDs(_ messages: JSON) throws -> [JSON?] {
        let text = try Command.run(
            "template", "-m", ExampleModel.path, "--messages", "-", input: Data(messages.text().utf8))
        expectSuccess(text)
        let ids = try Command.run(
            "tokenize", "-m", ExampleModel.path, "-f", "-", "--ids", "--no-bos", input: text.output)
        return try #require(ids.json.arrayValue)
    }

    @Test func `A chat prompt is a message in the model's template, with its special tokens once`() throws {
        let user: JSON = ["role": "user", "content": .string(prompt)]
        let expected = try templatedIDs([user])
        #expect(try promptIDs("--chat", "-p", prompt) == expected)
        #expect(try promptIDs("-p", prompt) != expected)
        let system: JSON = ["role": "system", "content": "Be brief."]
        let withSystem = try templatedIDs([system, user])
        #expect(try promptIDs("--system", "Be brief.", "-p", prompt) == withSystem)
    }

    @Test func `The answer is printed alone`() throws {
        let result = try Command.run("-m", ExampleModel.path, "--chat", "-p", prompt, "-n", "8", "--quiet")
        expectSuccess(result)
        #expect(!result.text.isEmpty && !result.text.contains("<|"))
        #expect(result.diagnostics.isEmpty)
    }

    @Test func `A model without a template says so`() throws {
        guard let folder = TestData.path("models") else { return }
        let result = try Command.run("-m", folder + "/stories260K.gguf", "--chat", "-p", "Hi", "-n", "1", "--quiet")
        expectFailure(result, mentions: "has no chat template", "--chat")
    }

    @Test func `A prompt that is no text is refused`() throws {
        let result = try Command.run(
            "-m", ExampleModel.path, "--chat", "-f", "-", "-n", "1", "--quiet", input: Data([0xFF, 0x41]))
        expectFailure(result, mentions: "UTF-8")
    }

    @Test func `On a terminal a raw prompt gets one hint`() throws {
        func hints(_ arguments: String...) throws -> Int {
            let text = try Terminal.run(["-m", ExampleModel.path, "-p", "Hi", "-n", "1"] + arguments)
            return text.components(separatedBy: "--chat").count - 1
        }
        #expect(try hints() == 1)
        #expect(try hints("--quiet") == 0)
        #expect(try hints("--chat") == 0)
        #expect(!(try Command.run("-m", ExampleModel.path, "-p", "Hi", "-n", "1").diagnostics.contains("--chat")))
    }
}

/// A run of the binary that finds itself on a terminal.
private enum Terminal {
    struct Failure: Error {}

    /// - Returns: What it printed to both of its outputs.
    static func run(_ arguments: [String]) throws -> String {
        var (main, side): (Int32, Int32) = (-1, -1)
        guard unsafe openpty(&main, &side, nil, nil, nil) == 0 else { throw Failure() }
        let terminal = FileHandle(fileDescriptor: side, closeOnDealloc: false)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Command.path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = terminal
        process.standardError = terminal
        try process.run()
        close(side)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // When the last writer is gone, reading fails.
            let count = unsafe read(main, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        close(main)
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self)
    }
}
