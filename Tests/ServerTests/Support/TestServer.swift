import Chat
import Engine
import GGUF
import Models
import JSON
import Logging
import Server
import Synchronization
import TestSupport
import Tokenizer

/// A server on a free port, for the time of a test.
struct TestServer {
    let port: Int
    let engine: ScriptedEngine
    let context: ServerContext
    let log: Lines
    /// Tells the server to stop.
    let stop: @Sendable () async -> Void

    static let tokenizer: Tokenizer = {
        do {
            return try Tokenizer(GGUFFile.open(ExampleModel.path).metadata)
        } catch {
            fatalError("\(error)")
        }
    }()

    /// Limits as the conformance vectors assume them.
    static var limits: EngineLimits {
        EngineLimits(
            maxInputTokens: 1023, maxTotalTokens: 1024, maxBatchPrefillTokens: 512, maxBatchTotalTokens: 16_384,
            maxBatchSize: 16)
    }

    /// The tokens of a story, of which the last is repeated for ever.
    static let story = tokenizer.encode(
        "Once upon a time there was a little cat who lived", addSpecial: false, parseSpecial: false)
    static let tellStory: ScriptedEngine.Script = { _ in story.map { .token($0) } }
    static let endOfSequence = tokenizer.endOfGeneration.sorted()[0]

    /// The beginning of the story.
    static func text(_ tokens: Int) -> String {
        var ids = Array(story.prefix(tokens))
        while ids.count < tokens { ids.append(story[story.count - 1]) }
        return tokenizer.decode(ids, skipSpecial: true)
    }

    /// A prompt of so many tokens, the one that begins a text among them.
    static func prompt(tokens: Int) -> String {
        let word = " little"
        let single = tokenizer.encode(word, addSpecial: true, parseSpecial: false).count - 1
        precondition(single == 1, "'\(word)' is not one token")
        return String(repeating: word, count: tokens - 1)
    }

    /// Runs a server for as long as `body` runs.
    static func run<Result: Sendable>(
        _ script: @escaping ScriptedEngine.Script = tellStory, limits: EngineLimits = limits,
        templates: ChatTemplates = ChatTemplates { _ in nil }, json: Bool = false,
        configure: (inout ServerOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Result
    ) async throws -> Result {
        let lines = Lines()
        let engine = ScriptedEngine(tokenizer, limits: limits, script: script)
        var options = ServerOptions()
        options.host = "127.0.0.1"
        options.port = 0
        configure(&options)
        let context = ServerContext(
            engine: engine, tokenizer: tokenizer, templates: templates,
            model: ModelDescription(id: "stories.gguf", device: "test", dtype: "F32", serverVersion: "0.0.0"),
            options: options, metrics: ServerMetrics(limits: limits),
            log: ServerLog.logger(json ? .json : .text(color: false), level: .info) { lines.append($0) })
        let (ports, portSource) = AsyncStream<Int>.makeStream()
        let serving = Serving(context) { portSource.yield($0) }
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            tasks.addTask {
                try await serving.run()
                portSource.finish()
                return nil
            }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else { throw NeverStarted() }
            let test = TestServer(
                port: port, engine: engine, context: context, log: lines,
                stop: { await serving.stop() })
            tasks.addTask { try await body(test) }
            while let result = try await tasks.next() {
                guard let result else { continue }
                tasks.cancelAll()
                return result
            }
            throw NeverStarted()
        }
    }

    struct NeverStarted: Error {}

    /// Asks on a connection of its own.
    func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async throws -> Client.Answer {
        try await Client.connected(to: port) { try await $0.ask(method, path, headers: headers, body: body) }
    }

    func post(_ path: String, _ body: String, headers: [(String, String)] = []) async throws -> Client.Answer {
        try await ask(
            "POST", path, headers: [("content-type", "application/json")] + headers, body: Array(body.utf8))
    }

    func status(get path: String) async throws -> Int { try await get(path).status }

    func status(post path: String, _ body: String) async throws -> Int { try await post(path, body).status }

    func get(_ path: String) async throws -> Client.Answer { try await ask("GET", path) }

    /// Waits until something becomes true, half a minute at most.
    func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
        for _ in 0..<3000 {
            if try await condition() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// The value of a metric's line, by its whole name with labels.
    func metric(_ name: String) async throws -> String? {
        try await get("/metrics").text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .map { String($0.dropFirst(name.count + 1)) }
    }
}

/// Log lines.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func append(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}
