import Compute
import JSON
import Models

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

    func json(_ rates: Sample, threads: Int) -> JSON {
        [
            "n_prompt": JSON(kind == .prompt ? length : 0), "n_gen": JSON(kind == .generation ? length : 0),
            "depth": JSON(depth), "batch": JSON(batch), "threads": JSON(threads),
            "tokens_per_second": JSON(rates.mean), "stddev": JSON(rates.standardDeviation),
        ]
    }
}

/// Runs benchmarks as llama-bench does: random tokens, logits for the last token of a step's prompt and for every generated
/// one, no sampling.
final class BenchRunner {
    private let evaluator: Evaluator
    private var random = RandomTokens()
    private let vocabularySize: Int

    init(_ loaded: LoadedModel, contextLength: Int, sequences: Int) throws {
        evaluator = try Evaluator(loaded, contextLength: contextLength, sequences: sequences, outputs: sequences)
        vocabularySize = loaded.model.vocabularySize
    }

    /// - Returns: Tokens per second of each repetition.
    func measure(_ test: BenchTest, repeats: Int, progress: (Double) -> Void) throws -> Sample {
        // The cache keeps what fills the depth: repetitions write behind it, over what the one before has written.
        if test.depth > 0 { try readPrompt(test.depth, at: 0, sequences: test.batch) }
        // A first run brings everything into memory; of a long generation a part does.
        try run(test, length: test.kind == .prompt ? test.length : min(test.length, 4))
        var rates: [Double] = []
        for index in 0..<repeats {
            let start = ContinuousClock.now
            try run(test, length: test.length)
            let elapsed = ContinuousClock.now - start
            rates.append(Double(test.length * test.batch) / elapsed.inSeconds)
            progress(Double(index + 1) / Double(repeats))
        }
        return Sample(values: rates)
    }

    private func run(_ test: BenchTest, length: Int) throws {
        switch test.kind {
        case .prompt:
            try readPrompt(length, at: test.depth, sequences: test.batch)
        case .generation:
            for index in 0..<length {
                try evaluator.step(
                    (0..<test.batch).map { sequence in
                        Evaluator.Piece(
                            sequence: sequence, position: test.depth + index, tokens: tokens(1), outputs: 0..<1)
                    })
            }
        }
    }

    /// Reads `length` tokens of each sequence, one sequence after the other, in full steps.
    private func readPrompt(_ length: Int, at position: Int, sequences: Int) throws {
        var pieces: [Evaluator.Piece] = []
        var rows = 0
        for sequence in 0..<sequences {
            var done = 0
            while done < length {
                let count = min(length - done, Evaluator.rowsPerStep - rows)
                pieces.append(
                    Evaluator.Piece(
                        sequence: sequence, position: position + done, tokens: tokens(count), outputs: count - 1..<count
                    ))
                done += count
                rows += count
                if rows == Evaluator.rowsPerStep {
                    try evaluator.step(pieces)
                    pieces = []
                    rows = 0
                }
            }
        }
        if !pieces.isEmpty { try evaluator.step(pieces) }
    }

    private func tokens(_ count: Int) -> ArraySlice<Int32> {
        (0..<count).map { _ in random.next(below: vocabularySize) }[...]
    }
}

/// The same tokens in every run.
private struct RandomTokens {
    private var state: UInt64 = 1

    /// A linear congruential generator (Knuth's MMIX), of which only the upper half is used.
    mutating func next(below limit: Int) -> Int32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int32(Int(state >> 33) % limit)
    }
}
