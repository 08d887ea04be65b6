import Compute
import Engine
import JSON
import Models
import Tokenizer

/// One line of the benchmark.
struct BenchTest {
    enum Kind { case prompt, generation }

    let kind: Kind
    let length: Int
    let depth: Int
    let batch: Int

    var name: String {
        let kind = kind == .prompt ? "pp \(length)" : "tg \(length)"
        return kind + (depth > 0 ? " @ d \(depth)" : "") + (batch > 1 ? " x \(batch)" : "")
    }

    func json(_ rates: Sample, threads: Int, _ cost: StepCost?, profile: ProfileReport?) -> JSON {
        var object: JSONObject = [
            "n_prompt": JSON(kind == .prompt ? length : 0), "n_gen": JSON(kind == .generation ? length : 0),
            "depth": JSON(depth), "batch": JSON(batch), "threads": JSON(threads),
            "tokens_per_second": JSON(rates.mean), "stddev": JSON(rates.standardDeviation),
        ]
        if let cost {
            object["launches_per_step"] = JSON(cost.launches)
            object["host_seconds_per_step"] = JSON(cost.onHost.inSeconds)
            object["bytes_to_device_per_step"] = JSON(cost.bytesToDevice)
            object["bytes_to_host_per_step"] = JSON(cost.bytesToHost)
        }
        object["profile"] = profile?.json
        return .object(object)
    }
}

/// Runs benchmarks as llama-bench does: random tokens, logits for the last token of a step's prompt and for every generated
/// one, no sampling.
struct BenchRunner {
    private let runtime: Runtime
    private var random = RandomTokens()

    init(_ runtime: Runtime) {
        self.runtime = runtime
        runtime.settle()
    }

    /// - Returns: Tokens per second of each repetition.
    mutating func measure(_ test: BenchTest, repeats: Int, progress: (Double) -> Void) throws -> Sample {
        try fill(test)
        // A first run brings everything into memory; of a long generation a part does.
        try run(test, length: test.kind == .prompt ? test.length : min(test.length, 4))
        var rates: [Double] = []
        for index in 0..<repeats {
            if forgets(test) { try fill(test) }
            let start = ContinuousClock.now
            try run(test, length: test.length)
            let elapsed = ContinuousClock.now - start
            rates.append(Double(test.length * test.batch) / elapsed.inSeconds)
            progress(Double(index + 1) / Double(repeats))
        }
        return Sample(values: rates)
    }

    /// Runs the test that was measured last as often again, or once where its depth has to be filled each time, and times each
    /// operation.
    mutating func profile(_ test: BenchTest, repeats: Int) throws -> ProfileReport? {
        if forgets(test) { try fill(test) }
        runtime.startProfile()
        for _ in 0..<(forgets(test) ? 1 : repeats) { try run(test, length: test.length) }
        return runtime.finishProfile().map(ProfileReport.init)
    }

    /// Fills the depth of each sequence. The cache keeps it: repetitions write behind it, over what the one before has written.
    private mutating func fill(_ test: BenchTest) throws {
        if test.depth > 0 { try readPrompt(test.depth, at: 0, sequences: test.batch) }
    }

    /// Whether a run leaves a hole before its start: windowed layers keep only what the next token reaches.
    private func forgets(_ test: BenchTest) -> Bool {
        test.depth > 0 && runtime.model.program.cache.reach != nil
    }

    private mutating func run(_ test: BenchTest, length: Int) throws {
        switch test.kind {
        case .prompt:
            try readPrompt(length, at: test.depth, sequences: test.batch)
        case .generation:
            for index in 0..<length {
                var chunks: [Runtime.Chunk] = []
                for sequence in 0..<test.batch {
                    chunks.append(
                        .init(sequence: sequence, tokens: tokens(1), position: test.depth + index, outputs: 1))
                }
                try runtime.step(chunks)
            }
        }
    }

    /// Reads `length` tokens of each sequence, one sequence after the other, in full steps.
    private mutating func readPrompt(_ length: Int, at position: Int, sequences: Int) throws {
        let limit = runtime.configuration.stepRows
        var chunks: [Runtime.Chunk] = []
        var rows = 0
        for sequence in 0..<sequences {
            var done = 0
            while done < length {
                let count = min(length - done, limit - rows)
                chunks.append(
                    .init(sequence: sequence, tokens: tokens(count), position: position + done, outputs: 1))
                done += count
                rows += count
                if rows == limit {
                    try runtime.step(chunks)
                    chunks = []
                    rows = 0
                }
            }
        }
        if !chunks.isEmpty { try runtime.step(chunks) }
    }

    private mutating func tokens(_ count: Int) -> ArraySlice<TokenID> {
        var result: [TokenID] = []
        for _ in 0..<count { result.append(random.next(below: runtime.model.vocabularySize)) }
        return result[...]
    }
}

/// The same tokens in every run.
private struct RandomTokens {
    private var state: UInt64 = 1

    /// A linear congruential generator (Knuth's MMIX), of which only the upper half is used.
    mutating func next(below limit: Int) -> TokenID {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return TokenID(Int(state >> 33) % limit)
    }
}
