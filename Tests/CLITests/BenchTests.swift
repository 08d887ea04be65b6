import JSON
import TestSupport
import Testing

@Suite struct BenchTests {
    @Test func jsonHasEveryCombination() throws {
        let result = try Command.run(
            "bench", "-m", ExampleModel.path, "-p", "8,16", "-n", "4", "-d", "0,8", "-b", "1,2", "-r", "2", "-t", "2",
            "--json")
        expectSuccess(result)
        let json = try result.json
        #expect(json["model"]?.stringValue?.isEmpty == false)
        let results = try #require(json["results"]?.arrayValue)
        #expect(results.count == (2 + 1) * 2 * 2)
        for result in results {
            let (prompt, generated) = (result["n_prompt"]?.intValue ?? -1, result["n_gen"]?.intValue ?? -1)
            #expect((prompt == 0) != (generated == 0))
            #expect(result["threads"]?.intValue == 2)
            #expect([0, 8].contains(result["depth"]?.intValue) && [1, 2].contains(result["batch"]?.intValue))
            #expect((result["tokens_per_second"]?.doubleValue ?? 0) > 0)
            #expect((result["stddev"]?.doubleValue ?? -1) >= 0)
        }
    }

    @Test func tableNamesTheTests() throws {
        let result = try Command.run("bench", "-m", ExampleModel.path, "-p", "8", "-n", "4", "-r", "1")
        expectSuccess(result)
        #expect(result.text.contains("pp 8") && result.text.contains("tg 4"))
    }

    @Test func `a profile shares out the time of each test`() throws {
        let result = try Command.run(
            "bench", "-m", ExampleModel.path, "-p", "16", "-n", "4", "-r", "2", "-t", "2", "--profile", "--json")
        expectSuccess(result)
        let results = try #require(try result.json["results"]?.arrayValue)
        #expect(results.count == 2)
        for (result, steps) in zip(results, [2, 8]) {
            let profile = try #require(result["profile"])
            #expect(profile["steps"]?.intValue == steps)
            let seconds = try #require(profile["seconds"]?.doubleValue)
            for part in ["kinds", "ops"] {
                let rows = try #require(profile[part]?.arrayValue)
                let shares = rows.compactMap { $0["share"]?.doubleValue }
                #expect(shares.count == rows.count && abs(shares.reduce(0, +) - 1) < 1e-6)
                #expect(abs(rows.reduce(0) { $0 + ($1["seconds"]?.doubleValue ?? 0) } - seconds) < 1e-6)
            }
            let kinds = Set(profile["kinds"]?.arrayValue?.compactMap { $0["kind"]?.stringValue } ?? [])
            #expect(kinds.isSuperset(of: ["attention projections", "attention", "MLP", "norm", "head", "other"]))
            let ops = try #require(profile["ops"]?.arrayValue)
            let down = try #require(ops.first { $0["tensors"]?.arrayValue?.contains("ffn_down") ?? false })
            #expect(down["op"]?.stringValue == "linear" && down["kind"]?.stringValue == "MLP")
            #expect((down["gigabytes_per_second"]?.doubleValue ?? 0) > 0)
            #expect((down["giga_operations_per_second"]?.doubleValue ?? 0) > 0)
        }
    }

    @Test func `a profile is two tables for each test`() throws {
        let result = try Command.run(
            "bench", "-m", ExampleModel.path, "-p", "8", "-n", "4", "-r", "1", "--profile")
        expectSuccess(result)
        let text = result.text
        #expect(text.contains("pp 8: 1 step of ") && text.contains("tg 4: 4 steps of "))
        #expect(text.contains("attention projections") && text.contains("attn_q, attn_k, attn_v"))
    }

    @Test func `without being asked for there is no profile`() throws {
        let result = try Command.run("bench", "-m", ExampleModel.path, "-p", "8", "-n", "0", "-r", "1", "--json")
        expectSuccess(result)
        #expect(try result.json["results"]?.arrayValue?.first?["profile"] == nil)
    }
}
