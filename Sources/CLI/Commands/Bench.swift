import ArgumentParser
import Compute
import Engine
import JSON
import Models

/// Speed of reading a prompt and of writing tokens.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure tokens per second for prompts and for writing.",
        discussion: """
            Examples:
              tgi-run bench -m model.gguf
              tgi-run bench -m model.gguf -p 0 -n 64 -d 0,2048 -b 1,4,8 -t 2 --json
              tgi-run bench -m model.gguf --profile

            Each line is one test: pp N reads a prompt of N tokens, tg N writes N tokens, @ d D after D tokens already in \
            the context, x B in B sequences at once (the tokens of all count). Each is run once unmeasured and then repeated.

            --profile repeats each test once more and prints where its time goes, by kind of layer and by operation: milliseconds \
            per step, their share, the bytes that must be read (weights, keys and values, inputs) over the time, and the \
            operations of matrix products and attention over the time.
            """
    )

    @OptionGroup var model: ModelOptions

    @Option(name: [.customShort("p"), .long], help: "Lengths of prompts, 0 for none.")
    var nPrompt: CountList = [512]

    @Option(name: [.customShort("n"), .long], help: "Counts of tokens to write, 0 for none.")
    var nGen: CountList = [128]

    @Option(name: .shortAndLong, help: "Tokens in the context before the test.")
    var depth: CountList = [0]

    @Option(name: .shortAndLong, help: "Sequences at once.")
    var batch: CountList = [1]

    @Option(name: .shortAndLong, help: "Measured runs of each test.")
    var repeats = 5

    @Flag(help: "Print the time of each operation too.")
    var profile = false

    @Flag(help: "Print one JSON object.")
    var json = false

    private static let mostSequences = 1024

    func validate() throws {
        if repeats < 1 { throw ValidationError("--repeats must be at least 1") }
        if !batch.values.allSatisfy((1...Self.mostSequences).contains) {
            throw ValidationError("--batch must be from 1 to \(Self.mostSequences)")
        }
        if tests.isEmpty { throw ValidationError("nothing to measure: --n-prompt and --n-gen are 0") }
    }

    private var tests: [BenchTest] {
        batch.values.flatMap { batch in
            depth.values.flatMap { depth in
                nPrompt.values.map { BenchTest(kind: .prompt, length: $0, depth: depth, batch: batch) }
                    + nGen.values.map { BenchTest(kind: .generation, length: $0, depth: depth, batch: batch) }
            }
        }.filter { $0.length > 0 }
    }

    func run() throws {
        let tests = tests
        let needed = tests.map { $0.depth + $0.length }.max() ?? 1
        if let limit = model.ctxSize, needed > limit {
            throw ValidationError("--ctx-size \(limit) is less than the \(needed) tokens of the longest test")
        }
        let sequences = tests.map(\.batch).max() ?? 1
        let loaded = try LoadedModel(model, context: .exactly(needed), sequences: sequences)
        if profile && !loaded.runtime.timesOperations {
            throw Failure(
                "--profile: operations of \(loaded.runtime.device.id) are not timed; --device cpu has a profile")
        }
        if !model.forceCtx && needed > loaded.model.trainedContext {
            model.verbosity.warning(
                "\(needed) tokens are more than the model was trained for; the speed is that of random text")
        }
        var runner = BenchRunner(loaded.runtime)
        let threads = loaded.runtime.device.threads
        var rows: [(test: String, rates: Sample, cost: StepCost?)] = []
        var profiles = ""
        var results: [JSON] = []
        let bar = ProgressBar("Measuring", quiet: model.verbosity.quiet)
        defer { bar.finish() }
        for (index, test) in tests.enumerated() {
            let rates = try runner.measure(test, repeats: repeats) { share in
                bar.update((Double(index) + share) / Double(tests.count))
            }
            let cost = loaded.runtime.lastStepCost
            rows.append((test.name, rates, cost))
            let report = profile ? try runner.profile(test, repeats: repeats) : nil
            if let report { profiles += "\n\(test.name): \(report.text)" }
            results.append(test.json(rates, threads: threads, cost, profile: report))
        }
        bar.finish()
        if json {
            let object: JSON = ["model": .string(model.file.path), "results": .array(results)]
            try StandardOutput.write(object.text() + "\n")
        } else {
            try StandardOutput.write(table(rows, threads: threads) + profiles)
        }
    }

    /// What a step costs the host is shown where the device counts it.
    private func table(_ rows: [(test: String, rates: Sample, cost: StepCost?)], threads: Int) -> String {
        let hasCosts = rows.contains { $0.cost != nil }
        var table = Table(
            [("test", .left), ("threads", .right), ("tokens/s", .right)]
                + (hasCosts ? [("launches", .right), ("host µs/step", .right)] : []))
        for (test, rates, cost) in rows {
            let costs = cost.map { ["\($0.launches)", fixed($0.onHost.inSeconds * 1e6, 0)] } ?? ["", ""]
            table.add(
                [test, "\(threads)", "\(fixed(rates.mean, 2)) ± \(fixed(rates.standardDeviation, 2))"]
                    + (hasCosts ? costs : []))
        }
        return table.rendered
    }
}

/// A comma-separated list of counts.
struct CountList: ExpressibleByArgument, ExpressibleByArrayLiteral, CustomStringConvertible {
    let values: [Int]

    init(arrayLiteral values: Int...) { self.values = values }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.allSatisfy({ $0.map { (0...1 << 30).contains($0) } ?? false }) else { return nil }
        values = parts.compactMap { $0 }
    }

    var description: String { values.map(String.init).joined(separator: ",") }
    var defaultValueDescription: String { description }
}
