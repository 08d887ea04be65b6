import ArgumentParser

/// Speed of reading a prompt and of writing tokens.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure tokens per second for prompts and for writing.",
        discussion: """
            Examples:
              tgi-run bench -m model.gguf
              tgi-run bench -m model.gguf -p 0 -n 64 -d 0,2048 -b 1,4,8 -t 2 --json

            Each line is one test: pp N reads a prompt of N tokens, tg N writes N tokens, @ d D after D tokens already in the context, \
            x B in B sequences at once (tokens of all together count). Each is run once unmeasured and then repeated.
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

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if repeats < 1 { throw ValidationError("--repeats must be at least 1") }
        if batch.values.contains(0) { throw ValidationError("--batch must be at least 1") }
        if nPrompt.values.allSatisfy({ $0 == 0 }) && nGen.values.allSatisfy({ $0 == 0 }) {
            throw ValidationError("nothing to measure: --n-prompt and --n-gen are 0")
        }
    }

    func run() throws { throw Failure("not connected yet") }
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
