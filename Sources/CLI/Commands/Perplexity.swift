import ArgumentParser
import Engine
import JSON
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
    /// Below it nothing but the token after BOS is scored.
    private static let leastContext = 4

    func validate() throws {
        if let context = model.ctxSize, context < Self.leastContext {
            throw ValidationError("--ctx-size must be at least \(Self.leastContext) to score anything")
        }
    }

    func run() throws {
        let text = try readFile(file)
        let loaded = try LoadedModel(model, context: .upTo(Self.defaultContext))
        let context = loaded.contextLength
        guard context >= Self.leastContext else {
            throw Failure("a context of \(context) tokens is too short to score anything")
        }
        let tokens = loaded.tokenizer.encode(text, addSpecial: true, parseSpecial: false)
        guard tokens.count >= 2 * context else {
            throw Failure(
                "\(file == "-" ? "standard input" : file): \(tokens.count) tokens are too few: at least \(2 * context), "
                    + "twice the context, are needed")
        }
        let score = try measure(tokens, loaded)
        try report(score, tokens: tokens.count, chunks: tokens.count / context)
    }

    private func measure(_ tokens: [TokenID], _ loaded: LoadedModel) throws -> PerplexityScore {
        let context = loaded.contextLength
        let chunks = tokens.count / context
        let bar = ProgressBar("Scoring", quiet: model.verbosity.quiet)
        defer { bar.finish() }
        let start = ContinuousClock.now
        var score = PerplexityScore()
        for index in 0..<chunks {
            var chunk = Array(tokens[index * context..<(index + 1) * context])
            if let beginning = loaded.tokenizer.firstToken { chunk[0] = beginning }
            // Nothing follows the last token, so it is not run.
            let last = chunk.removeLast()
            try loaded.runtime.run(chunk, logitsFrom: context / 2) { position, logits in
                score.add(Int(position + 1 < chunk.count ? chunk[position + 1] : last), logits: logits)
            }
            bar.update(Double(index + 1) / Double(chunks))
            model.verbosity.detail("chunk \(index + 1)/\(chunks): perplexity \(fixed(score.perplexity, 4))")
        }
        guard score.perplexity.isFinite else {
            throw Failure("\(model.file.path): the model's logits overflow: its perplexity is no finite number")
        }
        let elapsed = ContinuousClock.now - start
        model.verbosity.detail("\(fixed(Double(chunks * context) / elapsed.inSeconds, 1)) tokens/s")
        return score
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
