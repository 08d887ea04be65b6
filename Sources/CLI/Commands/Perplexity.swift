import ArgumentParser
import GGUF
import JSON
import Models
import Tokenizer

/// How well a model predicts a text.
struct Perplexity: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perplexity",
        abstract: "Measure how well a model predicts a text (lower is better).",
        discussion: """
            Example:
              tgi-run perplexity -m model.gguf -f wiki.test.raw -c 512

            The text is cut into chunks of the context (512 tokens unless -c says otherwise), the second half of each \
            chunk is scored, and an incomplete last chunk is dropped: figures compare with those of llama.cpp's tool.
            """
    )

    @OptionGroup var model: ModelOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The text, taken byte for byte; - is standard input.", valueName: "path"))
    var file: String

    @Flag(help: "Print one JSON object.")
    var json = false

    private static let defaultContext = 512
    /// Rows whose logits are held at a time.
    private static let rowsAtOnce = 128

    func run() throws {
        let text = try readFile(file)
        let loaded = try LoadedModel(model, context: .upTo(Self.defaultContext))
        let tokenizer = try Tokenizer(loaded.model.file.metadata)
        for warning in tokenizer.warnings { model.verbosity.warning(warning) }
        let tokens = tokenizer.encode(text, addSpecial: true, parseSpecial: false)
        let context = loaded.contextLength
        guard context >= 4 else { throw Failure("--ctx-size \(context) is too short to score anything") }
        guard tokens.count >= 2 * context else {
            throw Failure(
                "\(file == "-" ? "standard input" : file): \(tokens.count) tokens are too few: at least \(2 * context), "
                    + "twice the context, are needed")
        }
        let score = try measure(tokens, beginning: tokenizer.firstToken, loaded)
        try report(score, tokens: tokens.count, chunks: tokens.count / context)
    }

    private func measure(_ tokens: [Int32], beginning: Int32?, _ loaded: LoadedModel) throws -> PerplexityScore {
        let context = loaded.contextLength
        let chunks = tokens.count / context
        let evaluator = try Evaluator(loaded, contextLength: context, outputs: min(context, Self.rowsAtOnce))
        let bar = ProgressBar("Scoring", quiet: model.verbosity.quiet)
        defer { bar.finish() }
        let start = ContinuousClock.now
        var score = PerplexityScore()
        for chunk in 0..<chunks {
            var inputs = Array(tokens[chunk * context..<(chunk + 1) * context])
            if let beginning { inputs[0] = beginning }
            try add(inputs, to: &score, evaluator)
            bar.update(Double(chunk + 1) / Double(chunks))
            model.verbosity.detail("chunk \(chunk + 1)/\(chunks): perplexity \(fixed(score.perplexity, 4))")
        }
        let elapsed = ContinuousClock.now - start
        model.verbosity.detail("\(fixed(Double(chunks * context) / elapsed.inSeconds, 1)) tokens/s")
        return score
    }

    /// Scores what follows each position of the second half, the last one, which nothing follows, left out.
    private func add(_ tokens: [Int32], to score: inout PerplexityScore, _ evaluator: Evaluator) throws {
        let scored = tokens.count / 2..<tokens.count - 1
        var position = 0
        while position < scored.upperBound {
            let isScored = position >= scored.lowerBound
            let end =
                isScored
                ? min(position + Self.rowsAtOnce, scored.upperBound)
                : min(position + Evaluator.rowsPerStep, scored.lowerBound)
            let count = end - position
            try evaluator.step([
                Evaluator.Piece(
                    sequence: 0, position: position, tokens: tokens[position..<end], outputs: 0..<(isScored ? count : 0)
                )
            ])
            if isScored {
                for row in 0..<count {
                    evaluator.withLogits(row) { score.add(Int(tokens[position + row + 1]), logits: $0) }
                }
            }
            position = end
        }
    }

    private func report(_ score: PerplexityScore, tokens: Int, chunks: Int) throws {
        if json {
            let object: JSON = [
                "perplexity": JSON(score.perplexity), "error": score.error.map { JSON($0) } ?? .null,
                "tokens": JSON(tokens),
                "chunks": JSON(chunks),
            ]
            try StandardOutput.write(object.text() + "\n")
        } else {
            let error = score.error.map { " +/- \(fixed($0, 5))" } ?? ""
            try StandardOutput.write(
                "perplexity \(fixed(score.perplexity, 4))\(error) (\(tokens) tokens, \(chunks) chunks)\n")
        }
    }
}
