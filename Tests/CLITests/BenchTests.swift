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
}
