import Foundation
import TestSupport
import Testing

@Suite struct UsageTests {
    private static let subcommands = ["run", "info", "tokenize", "template", "perplexity", "bench", "quantize"]

    @Test func versionIsOneLine() throws {
        let result = try Command.run("--version")
        expectSuccess(result)
        #expect(result.text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
        #expect(result.diagnostics.isEmpty)
    }

    @Test(arguments: [["--help"], ["-h"], ["help"]])
    func overviewShowsTheRunAndTheSubcommands(_ arguments: [String]) throws {
        let result = try Command.run(arguments)
        expectSuccess(result)
        for word in ["--prompt", "--temperature", "--max-new-tokens", "Examples:"] + Self.subcommands {
            #expect(result.text.contains(word))
        }
    }

    @Test(arguments: subcommands)
    func everySubcommandTeaches(_ name: String) throws {
        let result = try Command.run(name, "--help")
        expectSuccess(result)
        #expect(result.text.contains("Example"))
        #expect(result.text.contains("--model"))
    }

    @Test(arguments: [
        ([], "--model"),
        (["-m"], "-m"),
        (["bogus"], "bogus"),
        (["-m", "x"], "no text"),
        (["-m", "x", "-p", "a", "-f", "b"], "exclude"),
        (["-m", "x", "-p", "a", "--nonsense"], "--nonsense"),
        (["-m", "x", "-p", "a", "stray"], "stray"),
        (["-m", "x", "-p", "a", "-n", "0"], "--max-new-tokens"),
        (["-m", "x", "-p", "a", "-n", "ten"], "ten"),
        (["-m", "x", "-p", "a", "-n", "-2"], "or -1 for no limit"),
        (["-m", "x", "-p", "a", "--seed", "-1"], "-1"),
        (["-m", "x", "-p", "a", "--temperature", "-0.5"], "--temperature"),
        (["-m", "x", "-p", "a", "--temperature", "nan"], "--temperature"),
        (["-m", "x", "-p", "a", "--top-k", "0"], "--top-k"),
        (["-m", "x", "-p", "a", "--top-p", "1.5"], "--top-p"),
        (["-m", "x", "-p", "a", "--typical-p", "0"], "--typical-p"),
        (["-m", "x", "-p", "a", "--min-p", "2"], "--min-p"),
        (["-m", "x", "-p", "a", "--repetition-penalty", "0"], "--repetition-penalty"),
        (["-m", "x", "-p", "a", "--frequency-penalty", "-3"], "--frequency-penalty"),
        (["-m", "x", "-p", "a", "--presence-penalty", "2.1"], "--presence-penalty"),
        (["-m", "x", "-p", "a", "--stop", ""], "--stop"),
        (["-m", "x", "-p", "a", "--verbose", "--quiet"], "exclude"),
        (["-m", "x", "-p", "a", "--kv-type", "q3"], "q3"),
        (["-m", "x", "-p", "a", "--device", "tpu"], "tpu"),
        (["-m", "x", "-p", "a", "-t", "0"], "--threads"),
        (["quantize", "-m", "x", "-o", "y", "--type", "Q8_0", "-t", "1000000"], "--threads"),
        (["perplexity", "-m", "x", "-f", "y", "-c", "2"], "--ctx-size"),
        (["-m", "x", "-p", "a", "-c", "0"], "--ctx-size"),
        (["bench", "-m", "x", "-b", "0"], "--batch"),
        (["bench", "-m", "x", "-b", "1,100000000"], "--batch"),
        (["bench", "-m", "x", "-p", "1,,2"], "1,,2"),
        (["bench", "-m", "x", "-p", "0", "-n", "0"], "nothing to measure"),
        (["perplexity", "-m", "x"], "--file"),
        (["quantize", "-m", "x", "-o", "y"], "--type"),
        (["quantize", "-m", "x", "-o", "y", "--type", "Q9_Z"], "Q9_Z"),
    ])
    func wrongUsageIsOneLineAndExitCode2(_ arguments: [String], _ word: String) throws {
        expectFailure(try Command.run(arguments), exitCode: 2, mentions: word)
    }

    @Test(arguments: [
        ["-p", "a"], ["info"], ["tokenize", "-p", "a"], ["perplexity", "-f", "/dev/null"], ["bench"],
        ["quantize", "-o", "/nonexistent/out.gguf", "--type", "Q8_0"],
    ])
    func unusableFilesAreOneLineAndExitCode1(_ arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let files = [
            folder.path("missing.gguf"),
            try folder.write(Data(), as: "empty.gguf"),
            try folder.write(Data("GGUF".utf8), as: "short.gguf"),
            try folder.write(Data("Not a model at all, just text.\n".utf8), as: "text.gguf"),
            try folder.write(Data([0x28, 0xB5, 0x2F, 0xFD, 0, 1, 2, 3]), as: "broken.gguf.zst"),
        ]
        for file in files {
            let name = URL(fileURLWithPath: file).lastPathComponent
            expectFailure(try Command.run(arguments + ["-m", file]), mentions: name)
        }
        try FileManager.default.createDirectory(atPath: folder.path("none"), withIntermediateDirectories: true)
        expectFailure(try Command.run(arguments + ["-m", folder.path("none")]), mentions: "none")
    }

    @Test func namesWithControlCharactersStayOnOneLine() throws {
        expectFailure(try Command.run("info", "-m", "/nonexistent/a\nb\u{1B}[31m.gguf"))
    }

    @Test func missingTextFileIsNamed() throws {
        expectFailure(try Command.run("-m", ExampleModel.path, "-f", "/nonexistent/prompt.txt"), mentions: "prompt.txt")
    }
}
