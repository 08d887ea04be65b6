import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// The command on an XPU: which device it takes, the subcommands on it, and what happens when it fails. On the software device, whose
/// faults can be asked for; `scripts/test` runs these under `scripts/soft-xpu`.
@Suite(.serialized, .enabled(if: TestData.promisesXPU, "TGI_RUN_TEST_XPU is not set")) struct DeviceTests {
    private static let prompt = "Once upon a time"

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Command.Result {
        try Command.run(
            ["-m", ExampleModel.path, "-p", Self.prompt, "--ignore-eos"] + arguments, environment: environment)
    }

    /// What the CPU writes.
    private func expected(_ tokens: Int) throws -> String {
        let result = try run(["-n", "\(tokens)", "--device", "cpu"])
        expectSuccess(result)
        return result.text
    }

    /// What the program says, without the device's own words.
    private func lines(_ result: Command.Result) -> [String] {
        result.lines.map(String.init).filter { !$0.hasPrefix("softxpu: ") }
    }

    /// A cache of our own kernels that starts empty. The software device keeps its own: building its programs takes minutes.
    private func emptyCache(_ folder: TemporaryFolder) -> [String: String] {
        let given = ProcessInfo.processInfo.environment
        let caches = given["XDG_CACHE_HOME"] ?? "\(given["HOME"] ?? "")/.cache"
        return [
            "XDG_CACHE_HOME": folder.path("cache"), "SOFTXPU_CACHE": given["SOFTXPU_CACHE"] ?? "\(caches)/softxpu",
        ]
    }

    // MARK: Which device

    @Test func `auto takes a device that passes, and says so unless told to be quiet`() throws {
        let folder = try TemporaryFolder()
        let cache = emptyCache(folder)
        let first = try run(["-n", "8", "--device", "auto"], cache)
        expectSuccess(first)
        #expect(try first.text == expected(8))
        #expect(lines(first).count == 1 && lines(first)[0].hasPrefix("tgi-run: device xpu:0, "), "\(first.diagnostics)")
        #expect(lines(first)[0].contains("passes its self-test"))
        // The test is not repeated: it would take submissions, of which the model's loading and first step take fewer.
        let again = try run(
            ["-n", "1", "--quiet", "--device", "auto"], cache.merging(["SOFTXPU_LOSE_DEVICE": "70"]) { $1 })
        expectSuccess(again)
        #expect(again.diagnostics.isEmpty, "\(again.diagnostics)")
    }

    @Test func `auto takes the CPU where the device has too little memory or fails, and says why`() throws {
        let small = try run(["-n", "4", "--device", "auto"], ["SOFTXPU_MEMORY": "1000000"])
        expectSuccess(small)
        #expect(try small.text == expected(4))
        #expect(lines(small).count == 1 && lines(small)[0].hasPrefix("tgi-run: device cpu, "), "\(small.diagnostics)")
        #expect(lines(small)[0].contains("MiB are missing"))

        let folder = try TemporaryFolder()
        let broken = try run(
            ["-n", "4", "--device", "auto"], emptyCache(folder).merging(["SOFTXPU_LOSE_DEVICE": "1"]) { $1 })
        expectSuccess(broken)
        #expect(try broken.text == expected(4))
        #expect(lines(broken).count == 1, "\(broken.diagnostics)")
        #expect(lines(broken).first?.contains("xpu:0 fails its self-test") == true, "\(broken.diagnostics)")
    }

    @Test(arguments: [["SOFTXPU_FAIL_ALLOC": "9"], ["SOFTXPU_LOSE_DEVICE": "7"]])
    func `auto goes over to the CPU where the device cannot load the model`(fault: [String: String]) throws {
        let folder = try TemporaryFolder()
        let cache = emptyCache(folder)
        // The self-test passes, and is not repeated.
        expectSuccess(try run(["-n", "1", "--device", "auto"], cache))
        let result = try run(["-n", "4", "--device", "auto"], cache.merging(fault) { $1 })
        expectSuccess(result)
        #expect(try result.text == expected(4))
        let said = lines(result)
        #expect(said.count == 2 && said[1].hasPrefix("tgi-run: device cpu, "), "\(result.diagnostics)")
        #expect(said.last?.contains("xpu:0 cannot load the model (") == true, "\(result.diagnostics)")
        let named = try run(["-n", "4", "--device", "xpu"], cache.merging(fault) { $1 })
        #expect(named.exitCode == 1 && lines(named).count == 1, "\(named.diagnostics)")
    }

    @Test func `The environment chooses where the command line does not`() throws {
        let given = try run(["-n", "4", "--verbose"], ["TGI_RUN_DEVICE": "xpu:0"])
        expectSuccess(given)
        #expect(try given.text == expected(4))
        let missing = try run(["-n", "4"], ["TGI_RUN_DEVICE": "xpu:7"])
        #expect(missing.exitCode == 1 && lines(missing).count == 1, "\(missing.diagnostics)")
        #expect(missing.diagnostics.contains("xpu:7"), "\(missing.diagnostics)")
        expectFailure(try run(["-n", "4"], ["TGI_RUN_DEVICE": "tpu"]), exitCode: 2, mentions: "tpu", "TGI_RUN_DEVICE")
    }

    // MARK: The subcommands

    @Test func `bench and perplexity run on it`() throws {
        let bench = try Command.run(
            "bench", "-m", ExampleModel.path, "-p", "8", "-n", "4", "-b", "1,2", "-r", "1", "--json", "--device", "xpu")
        expectSuccess(bench)
        let results = try #require(bench.json["results"]?.arrayValue)
        #expect(results.count == 4 && results.allSatisfy { ($0["tokens_per_second"]?.doubleValue ?? 0) > 0 })

        let folder = try TemporaryFolder()
        let text = try folder.write(Data(try expected(200).utf8), as: "text.txt")
        let values = try ["cpu", "xpu"].map { device in
            let result = try Command.run(
                "perplexity", "-m", ExampleModel.path, "-f", text, "-c", "64", "--json", "--device", device)
            expectSuccess(result)
            return try #require(result.json["perplexity"]?.doubleValue)
        }
        #expect(abs(values[1] / values[0] - 1) < 0.01, "\(values)")
    }

    /// With a timer whose count begins again within the test.
    @Test(arguments: [[:], ["SOFTXPU_TIMER": "4276000000"]])
    func `bench has a profile of it`(variables: [String: String]) throws {
        let result = try Command.run(
            [
                "bench", "-m", ExampleModel.path, "-p", "16", "-n", "4", "-r", "2", "--device", "xpu", "--profile",
                "--json",
            ], environment: variables)
        expectSuccess(result)
        let results = try #require(try result.json["results"]?.arrayValue)
        #expect(results.count == 2)
        for result in results {
            let profile = try #require(result["profile"])
            let seconds = try #require(profile["seconds"]?.doubleValue)
            for part in ["kinds", "ops"] {
                let rows = try #require(profile[part]?.arrayValue)
                let times = rows.compactMap { $0["seconds"]?.doubleValue }
                #expect(times.count == rows.count && abs(times.reduce(0, +) - seconds) < 1e-6)
            }
            let ops = try #require(profile["ops"]?.arrayValue)
            let down = try #require(ops.first { $0["tensors"]?.arrayValue?.contains("ffn_down") ?? false })
            #expect((down["gigabytes_per_second"]?.doubleValue ?? 0) > 0)
            #expect((down["giga_operations_per_second"]?.doubleValue ?? 0) > 0)
            let attention = try #require(ops.first { $0["op"]?.stringValue == "attention" })
            #expect((attention["seconds"]?.doubleValue ?? 0) > 0)
        }
    }

    @Test func `The self-test passes, and its exit code tells when it does not`() throws {
        let good = try Command.run("devices", "--self-test", "--json")
        expectSuccess(good)
        let device = try #require(good.json["devices"]?.arrayValue?.last)
        let tests = try #require(device["self_test"]?.arrayValue)
        #expect(tests.count > 30)
        #expect((device["read_bytes_per_second"]?.doubleValue ?? 0) > 0)
        for test in tests { #expect(test["passed"]?.boolValue == true, "\(test["name"]?.stringValue ?? "")") }
        #expect(tests.contains { ($0["bytes_per_second"]?.doubleValue ?? 0) > 0 })
        #expect((device["arithmetic_ceilings"]?["integers"]?.doubleValue ?? 0) > 0)
        #expect((device["arithmetic_ceilings"]?["dots"]?.doubleValue ?? 0) > 0)
        #expect((device["arithmetic_ceilings"]?["floats"]?.doubleValue ?? 0) > 0)
        for test in tests where test["operations_per_second"]?.doubleValue != nil {
            #expect((test["operations_ceiling"]?.doubleValue ?? 0) > 0)
        }
        for kind in ["attention F16", "mixture of experts F32", "rms norm, activations", "heads of rows"] {
            let timed = tests.filter { ($0["name"]?.stringValue ?? "").hasSuffix(kind) }
            #expect(timed.count == 1 && timed.allSatisfy { ($0["bytes_per_second"]?.doubleValue ?? 0) > 0 }, "\(kind)")
        }

        let bad = try Command.run(
            ["devices", "--self-test"], environment: ["SOFTXPU_LOSE_DEVICE": "30+"])
        #expect(bad.exitCode == 1 && bad.text.contains("FAIL"))
    }

    // MARK: Faults

    /// A submission that never ends. What the device has is left as it is then.
    private static func hang(_ submission: Int) -> [String: String] {
        ["SOFTXPU_HANG": "\(submission)", "TGI_RUN_XPU_TIMEOUT": "1", "SOFTXPU_LEAKS": "off"]
    }

    /// While loading, in the first step and later; everything that runs out of memory, once.
    @Test(arguments: [
        (["SOFTXPU_LOSE_DEVICE": "1"], "DEVICE_LOST"), (["SOFTXPU_LOSE_DEVICE": "7"], "DEVICE_LOST"),
        (["SOFTXPU_LOSE_DEVICE": "60"], "DEVICE_LOST"), (["SOFTXPU_FAIL_ALLOC": "1"], "no memory"),
        (["SOFTXPU_FAIL_ALLOC": "9"], "no memory"), (["SOFTXPU_FAIL_ALLOC": "40"], "no memory"),
        (hang(3), "did not finish within 1 s"), (hang(60), "did not finish within 1 s"),
    ])
    func `A fault ends a run with one clear line`(fault: [String: String], problem: String) throws {
        let result = try run(["-n", "60", "--device", "xpu"], fault)
        #expect(result.exitCode == 1, "\(result.diagnostics)")
        // A hung device's line may follow text that was written before.
        let said = lines(result)
        #expect(said.count == 1, "\(result.diagnostics)")
        #expect(said.first?.hasPrefix("tgi-run: error: ") == true && said.first?.contains(problem) == true)
    }

    /// More requests than one, at the same time, so that the fault comes between them; then one after the other.
    @Test(arguments: [["SOFTXPU_LOSE_DEVICE": "100"], hang(100)])
    func `A server whose device fails under load answers again`(fault: [String: String]) async throws {
        let expected = try expected(24)
        let server = try ServeTests.Server(
            ["serve", "-m", ExampleModel.path, "--hostname", "127.0.0.1", "--port", "0", "--device", "xpu"],
            environment: fault)
        let body = #"{"inputs":"Once upon a time","parameters":{"max_new_tokens":24}}"#
        @Sendable func ask() -> String { (try? server.post("/generate", body)) ?? "" }
        func isRight(_ answer: String) -> Bool {
            answer.hasPrefix("HTTP/1.1 200 OK")
                && answer.hasSuffix(JSON(["generated_text": .string(expected)] as JSONObject).text())
        }
        var answers: [String] = []
        while answers.allSatisfy(isRight), answers.count < 60 {
            answers += await withTaskGroup(of: String.self) { group in
                for _ in 0..<3 { group.addTask { ask() } }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        let failed = answers.filter { !isRight($0) }
        #expect(!failed.isEmpty)
        for answer in failed {
            #expect(answer.hasPrefix("HTTP/1.1 424 "), "\(answer)")
            #expect(answer.contains(#""error_type":"generation""#) && answer.contains("the device"), "\(answer)")
        }
        for _ in 0..<3 { #expect(isRight(ask())) }
        #expect(try server.get("/health").hasPrefix("HTTP/1.1 200 OK"))
        #expect(server.stop().code == 0)
    }

    /// The first allocation of a step: the splits of a context over 256.
    @Test func `A server that has no memory for a step answers the next`() throws {
        // As many as loading and a short answer take.
        var (least, most) = (1, 1024)
        while least < most {
            let middle = (least + most) / 2
            let result = try run(["-n", "2", "--device", "xpu"], ["SOFTXPU_FAIL_ALLOC": "\(middle)"])
            if result.exitCode == 0 { most = middle } else { least = middle + 1 }
        }
        let server = try ServeTests.Server(
            ["serve", "-m", ExampleModel.path, "--hostname", "127.0.0.1", "--port", "0", "--device", "xpu"],
            environment: ["SOFTXPU_FAIL_ALLOC": "\(least)"])
        let long = String(repeating: "The cat sat on the mat. ", count: 50)
        let body = #"{"inputs":"\#(long)","parameters":{"max_new_tokens":4}}"#
        let first = try server.post("/generate", body)
        #expect(!first.hasPrefix("HTTP/1.1 200 OK") && first.contains("no memory"), "\(first)")
        #expect(try server.post("/generate", body).hasPrefix("HTTP/1.1 200 OK"))
        #expect(server.stop().code == 0)
    }
}
