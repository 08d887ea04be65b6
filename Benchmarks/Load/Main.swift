import ArgumentParser
import Glibc
import JSON

@main
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Measure a server under streaming clients.",
        discussion: """
            Each client sends its requests one after another, all greedy and of the same length. Printed for each number of clients: \
            tokens per second of all together, seconds to the first token, and seconds between tokens.
            """)

    @Option(help: "Address of the server.") var host = "127.0.0.1"
    @Option(name: .shortAndLong, help: "Its port.") var port: UInt16 = 3000
    @Option(help: "The route to use: \(API.all.map(\.name).joined(separator: ", ")).") var api = "tgi"
    @Option(name: .shortAndLong, help: "Clients at the same time; a list.") var clients = "1,4,16,64"
    @Option(name: [.customShort("n"), .long], help: "Tokens of each answer.") var tokens = 64
    @Option(help: "Words of each prompt, about as many tokens.") var promptWords = 32
    @Option(name: .shortAndLong, help: "Requests of each client.") var requests = 2
    @Flag(help: "Sends the same prompt in all requests.") var samePrompt = false
    @Option(help: "Share of the requests that hang up after a random part of the answer.") var hangUp = 0.0
    @Option(help: "Seconds that one read may take.") var timeout = 600
    @Option(help: "Seed of the prompts.") var seed: UInt64 = 0
    @Flag(help: "Leaves out the request before the measurements.") var noWarmup = false
    @Flag(help: "Prints one JSON object per line.") var json = false

    func validate() throws {
        guard API.named(api) != nil else {
            throw ValidationError("--api \(api): not among \(API.all.map(\.name).joined(separator: ", "))")
        }
        guard !levels.isEmpty, levels.allSatisfy({ (1...500).contains($0) }) else {
            throw ValidationError("--clients \(clients): a list of numbers from 1 to 500")
        }
        guard tokens > 0, promptWords > 0, requests > 0, (0...1).contains(hangUp) else {
            throw ValidationError("--tokens, --prompt-words and --requests are at least 1, --hang-up is from 0 to 1")
        }
    }

    private var levels: [Int] { clients.split(separator: ",").map { Int($0) ?? 0 } }

    func run() throws {
        guard let api = API.named(api) else { return }
        let client = Client(server: .init(host: host, port: port), api: api, tokens: tokens, timeout: timeout)
        if !noWarmup {
            let sample = client.request(Prompts.make(words: promptWords, seed: ~seed))
            if let failure = sample.failure {
                complain("\(host):\(port): \(failure)")
                throw ExitCode.failure
            }
        }
        if !json {
            print(Self.row(["clients", "tok/s", "first mean", "p50", "max", "gap p50", "p95", "p99", "errors"]))
        }
        var hasFailed = false
        for count in levels {
            let level = Level.run(clients: count, requests: requests) { [self] client_, request in
                let number = UInt64(count) << 40 | UInt64(client_) << 20 | UInt64(request)
                let prompt = Prompts.make(words: promptWords, seed: samePrompt ? seed : seed &* 0x1_0001 &+ number)
                let leaves = Double.random(in: 0..<1) < hangUp
                return client.request(prompt, hangUpAfter: leaves ? Int.random(in: 1...tokens) : nil)
            }
            show(level)
            hasFailed = hasFailed || !level.failures.isEmpty
        }
        if hasFailed { throw ExitCode.failure }
    }

    private func show(_ level: Level) {
        if json {
            print(level.json.text())
        } else {
            let (first, gaps) = (level.firstTokens, level.gaps)
            print(
                Self.row([
                    "\(level.clients)", Self.digits(level.tokensPerSecond, 1), Self.digits(first.mean, 3),
                    Self.digits(first[0.5], 3), Self.digits(first[1], 3), Self.digits(gaps[0.5], 4),
                    Self.digits(gaps[0.95], 4), Self.digits(gaps[0.99], 4), "\(level.failures.count)",
                ]))
        }
        fflush(nil)
        for failure in Set(level.failures).sorted().prefix(3) {
            complain(failure)
        }
    }

    private static func row(_ cells: [String]) -> String {
        cells.map { String(repeating: " ", count: max(0, 11 - $0.count)) + $0 }.joined()
    }

    private static func digits(_ value: Double, _ count: Int) -> String {
        let scale = (0..<count).reduce(1) { factor, _ in factor * 10 }
        let number = Int((value * Double(scale)).rounded())
        let fraction = String(number % scale)
        return "\(number / scale).\(String(repeating: "0", count: count - fraction.count))\(fraction)"
    }

    private func complain(_ text: String) {
        let line = Array("load: \(text)\n".utf8)
        unsafe line.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
