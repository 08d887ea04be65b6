package import Engine
package import HTTPTypes
package import HummingbirdCore
package import JSON
internal import NIOCore

/// A finished generation.
package struct GenerationOutcome: Sendable {
    /// Without special tokens.
    package var text = ""
    package var tokens: [GeneratedToken] = []
    package var topTokens: [[GeneratedToken]] = []
    package let prefill: [PromptToken]
    package let finish: FinishReason
    package let seed: UInt64?
    package let request: ValidRequest
    package let timing: GenerationTiming
    package let cachedTokens: Int
    package var generatedTokens: Int { timing.generatedTokens }

    /// Mean log-probability per token: what `best_of` compares.
    package var score: Float {
        tokens.reduce(0) { $0 + ($1.logprob ?? 0) } / Float(max(1, tokens.count))
    }
}

extension ActiveGeneration {
    /// Reads to the end.
    package consuming func collect() async throws(APIError) -> GenerationOutcome {
        var text = ""
        var tokens: [GeneratedToken] = []
        var topTokens: [[GeneratedToken]] = []
        while let event = try await next() {
            text += event.visibleText
            tokens.append(event.token)
            if request.engine.topTokens > 0 { topTokens.append(event.topTokens) }
            guard let finish = event.finish else { continue }
            return GenerationOutcome(
                text: text, tokens: tokens, topTokens: topTokens, prefill: prefill, finish: finish, seed: seed,
                request: request, timing: timing, cachedTokens: cachedTokens)
        }
        throw .incompleteGeneration
    }
}

extension Array<ActiveGeneration> {
    /// Reads all to their ends, in the order of the array. The first error ends the others.
    package func collectAll() async throws(APIError) -> [GenerationOutcome] {
        guard count > 1 else { return try await [self[0].collect()] }
        let results = await withTaskGroup(of: (Int, Result<GenerationOutcome, APIError>).self) { group in
            for (index, generation) in enumerated() {
                group.addTask {
                    do throws(APIError) { return (index, .success(try await generation.collect())) } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var results: [(Int, Result<GenerationOutcome, APIError>)] = []
            for await result in group {
                results.append(result)
                if case (_, .failure) = result { group.cancelAll() }
            }
            return results.sorted { $0.0 < $1.0 }
        }
        var outcomes: [GenerationOutcome] = []
        for (_, result) in results { outcomes.append(try result.get()) }
        return outcomes
    }
}

// MARK: - Headers

extension HTTPFields {
    /// The headers of every answer that generates.
    package init(_ server: ServerContext, characters: Int) {
        self.init()
        self[.computeType] = server.options.computeType
        self[.computeCharacters] = "\(characters)"
    }

    /// Those of an answer that is complete.
    package init(_ server: ServerContext, _ outcome: GenerationOutcome) {
        self.init(server, characters: outcome.request.characters)
        let timing = outcome.timing
        self[.computeTime] = "\(timing.total.inSeconds)"
        self[.totalTime] = "\(timing.total.inMilliseconds)"
        self[.validationTime] = "\(timing.validation.inMilliseconds)"
        self[.queueTime] = "\(timing.queue.inMilliseconds)"
        self[.inferenceTime] = "\(timing.inference.inMilliseconds)"
        self[.timePerToken] = "\(timing.perToken.inMilliseconds)"
        self[.promptTokens] = "\(outcome.request.inputLength)"
        self[.generatedTokens] = "\(outcome.generatedTokens)"
    }
}

extension Response {
    /// An answer of one JSON value.
    package static func json(
        _ headers: HTTPFields = HTTPFields(), _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter()
        write(&writer)
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: writer.bytes)))
    }
}
