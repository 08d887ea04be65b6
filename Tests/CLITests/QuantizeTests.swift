import Foundation
import JSON
import TestSupport
import Testing

@Suite struct QuantizeTests {
    private func tensors(_ path: String) throws -> [String: JSON] {
        let json = try Command.run("info", "-m", path, "--json", "--tensors").json
        return Dictionary(
            uniqueKeysWithValues: try #require(json["tensors"]?.arrayValue).map { ($0["name"]?.stringValue ?? "", $0) })
    }

    /// The files of the test data that llama.cpp's quantizer made of the F32 file.
    @Test(arguments: [
        "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "IQ4_NL",
        "IQ4_XS",
    ])
    func distributesFormatsLikeLlamaCpp(_ type: String) throws {
        guard let folder = TestData.path("models") else { return }
        let target = try TemporaryFolder()
        let output = target.path("out.gguf")
        let result = try Command.run("quantize", "-m", folder + "/llama-k-F32.gguf", "-o", output, "--type", type)
        expectSuccess(result)
        #expect(result.text.contains(type))
        let ours = try tensors(output)
        let theirs = try tensors(folder + "/llama-k-\(type).gguf")
        #expect(ours.count == theirs.count)
        for (name, tensor) in theirs {
            #expect(ours[name]?["type"] == tensor["type"], "\(name)")
            #expect(ours[name]?["shape"] == tensor["shape"], "\(name)")
        }
        func fileType(_ path: String) throws -> JSON? {
            try Command.run("info", "-m", path, "--json").json["metadata"]?["general.file_type"]
        }
        #expect(try fileType(output) == fileType(folder + "/llama-k-\(type).gguf"))
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func endsWithoutLeavingAPart(signal: Int32) throws {
        guard let folder = TestData.path("models") else { return }
        let target = try TemporaryFolder()
        func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: target.url.path) }
        let source = folder + "/llama-k-F32.gguf"
        let running = try Command.Running([
            "quantize", "-m", source, "-o", target.path("out.gguf"), "--type", "IQ4_XS", "-t", "1",
        ])
        while try files().isEmpty, running.process.isRunning { usleep(200) }
        kill(running.process.processIdentifier, signal)
        #expect(running.finish().exitCode == 128 + signal)
        #expect(try files().isEmpty)
    }

    @Test(arguments: ["Q8_0", "Q6_K", "Q4_K_M", "Q4_0"])
    func keepsTheModelsQuality(_ type: String) throws {
        guard let folder = TestData.path("models") else { return }
        let target = try TemporaryFolder()
        let output = target.path("out.gguf")
        expectSuccess(try Command.run("quantize", "-m", folder + "/llama-k-F32.gguf", "-o", output, "--type", type))
        func perplexity(_ path: String) throws -> Double {
            let json = try Command.run("perplexity", "-m", path, "-f", folder + "/text.txt", "-c", "256", "--json").json
            return try #require(json["perplexity"]?.doubleValue)
        }
        // A random model: its perplexity moves in either direction. llama.cpp's own Q4_0 is 0.3 % off, its Q4_K_M 1.7 %.
        let before = try perplexity(folder + "/llama-k-F32.gguf")
        #expect(try abs(perplexity(output) / before - 1) < 0.04)
    }

    @Test func leavesNothingBehindWhenItFails() throws {
        let target = try TemporaryFolder()
        let output = target.path("out.gguf")
        expectFailure(try Command.run("quantize", "-m", target.path("none.gguf"), "-o", output, "--type", "Q8_0"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: target.url.path).isEmpty)
        expectFailure(
            try Command.run(
                "quantize", "-m", ExampleModel.path, "-o", target.path("no/such/folder.gguf"), "--type", "Q8_0",
                "--quiet"),
            mentions: "no/such")
        let copy = target.path("copy.gguf")
        try FileManager.default.copyItem(atPath: ExampleModel.path, toPath: copy)
        expectFailure(
            try Command.run("quantize", "-m", copy, "-o", copy, "--type", "Q8_0"), exitCode: 2,
            mentions: "source itself")
    }
}
