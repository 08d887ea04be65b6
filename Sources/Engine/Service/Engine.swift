package import Compute
internal import Synchronization

/// Many requests at once on one runtime, which a thread of the engine's own drives. Everything else talks to that thread through
/// messages, which it reads between two steps.
package final class Engine: TextGeneration {
    package let limits: EngineLimits
    private let health: Health
    private let inbox = Inbox<EngineMessage>()
    private let lastID = Atomic<Int>(0)

    /// - Parameters:
    ///   - runtime: Configured for these limits (``Runtime/Configuration/init(serving:kvFormat:)``).
    ///   - options: What is not among the limits; their own fields are overwritten.
    package init(
        _ runtime: sending Runtime, limits: EngineLimits, options: Batch.Options = .init(),
        observer: (any EngineObserver)? = nil
    ) {
        self.limits = limits
        health = Health()
        var options = options
        options.maxPrefillTokens = limits.maxBatchPrefillTokens
        options.speculation = limits.speculation
        EngineThread(Batch(runtime, options), inbox, health, observer).start()
    }

    deinit { _ = inbox.post(.stop(nil)) }

    package var isHealthy: Bool { health.isGood.load(ordering: .relaxed) }

    package func submit(_ request: GenerationRequest) -> GenerationStream {
        let id = lastID.add(1, ordering: .relaxed).newValue
        let (stream, source) = GenerationStream.make(
            onRoom: { [inbox] in _ = inbox.post(.resume(id)) },
            onCancel: { [inbox] in _ = inbox.post(.cancel(id)) })
        if !inbox.post(.submit(request, id, source)) { source.finish(throwing: .stopped) }
        return stream
    }

    package func probe() async -> Bool {
        await withCheckedContinuation { continuation in
            if !inbox.post(.probe(continuation)) { continuation.resume(returning: false) }
        }
    }

    package func stop() async {
        await withCheckedContinuation { continuation in
            if !inbox.post(.stop(continuation)) { continuation.resume() }
        }
    }
}

enum EngineMessage: Sendable {
    case submit(GenerationRequest, Int, GenerationStream.Source)
    case cancel(Int)
    case resume(Int)
    case probe(CheckedContinuation<Bool, Never>)
    case stop(CheckedContinuation<Void, Never>?)
}

/// Whether the device works; written by the engine's thread.
final class Health: Sendable {
    let isGood = Atomic<Bool>(true)
}

extension Runtime.Configuration {
    /// What an engine with these limits needs.
    package init(serving limits: EngineLimits, kvFormat: KVFormat) {
        self.init(contextLength: limits.maxTotalTokens, kvFormat: kvFormat)
        sequences = limits.maxBatchSize
        cachePositions = limits.maxBatchTotalTokens
        // Each sequence has a row and its logits; drafts and prompts share the rest.
        stepRows = max(stepRows, sequences + Self.spareRows)
        outputRows = sequences + Self.spareRows
    }

    /// Rows of logits beside one for each sequence: for drafts, and for the log-probabilities of prompts.
    private static let spareRows = 32
}
