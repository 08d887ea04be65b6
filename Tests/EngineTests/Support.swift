import CPU
import Compute
import Engine
import GGUF
import Models
import TestSupport
import Tokenizer

/// The example model with an engine's configuration.
func servingRuntime(
    _ limits: EngineLimits, path: String = ExampleModel.path, threads: Int = 2, stepRows: Int = 512,
    backend: (any Backend)? = nil
) throws -> Runtime {
    let model = try Model(path: path)
    var configuration = Runtime.Configuration(serving: limits, kvFormat: .f16)
    configuration.stepRows = max(stepRows, limits.maxBatchSize)
    return try Runtime(
        model, try Tokenizer(model.file.metadata), on: backend ?? CPUBackend(threads: threads), configuration)
}

extension EngineLimits {
    static func test(
        context: Int = 256, prefill: Int = 512, batchTokens: Int = 4096, batch: Int = 16, speculation: Int = 0
    ) -> EngineLimits {
        var limits = EngineLimits(
            maxInputTokens: context - 1, maxTotalTokens: context, maxBatchPrefillTokens: prefill,
            maxBatchTotalTokens: batchTokens, maxBatchSize: batch)
        limits.speculation = speculation
        return limits
    }
}

/// Everything that a stream delivered.
struct Answer: Sendable {
    var cachedTokens: Int?
    var prompt: [PromptToken] = []
    var events: [GenerationEvent] = []
    var error: EngineError?

    var tokens: [GeneratedToken] { events.map(\.token) }
    var text: String { events.map(\.visibleText).joined() }
    var finish: FinishReason? { events.last?.finish }

    static func of(_ stream: GenerationStream) async -> Answer {
        var answer = Answer()
        do {
            for try await event in stream { answer.take(event) }
        } catch {
            answer.error = error
        }
        return answer
    }

    /// To the last bit, and without an error.
    func isIdentical(to other: Answer) -> Bool {
        tokens == other.tokens && prompt == other.prompt && finish == other.finish && text == other.text
            && events.map(\.topTokens) == other.events.map(\.topTokens) && error == nil && other.error == nil
            && zip(tokens, other.tokens).allSatisfy { $0.logprob?.bitPattern == $1.logprob?.bitPattern }
    }

    mutating func take(_ event: StreamEvent) {
        switch event {
        case .admitted(_, let cached): cachedTokens = cached
        case .prompt(let tokens): prompt = tokens
        case .token(let token): events.append(token)
        }
    }
}

/// Keeps what a request brings; rests when it has `capacity` events that nobody has read.
final class Recorder: GenerationSink {
    private(set) var answer = Answer()
    private(set) var hasEnded = false
    private let capacity: Int
    private var unread = 0

    var cachedTokens: Int? { answer.cachedTokens }
    var isFull: Bool { unread >= capacity }

    init(capacity: Int = .max) { self.capacity = capacity }

    func send(_ event: StreamEvent) {
        answer.take(event)
        unread += 1
    }

    func finish(throwing error: EngineError?) {
        answer.error = error
        hasEnded = true
    }

    func read() { unread = 0 }
}
