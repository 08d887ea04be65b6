internal import Engine
internal import HTTPTypes
internal import HummingbirdCore
internal import JSON

/// Several generations as one stream of events, as their tokens come.
struct ChoiceStream: Sendable {
    let generations: [ActiveGeneration]
    /// One event: a token of the generation at an index.
    let write: @Sendable (GenerationEvent, Int, ActiveGeneration, inout JSONWriter) -> Void
    /// What follows the last token of all.
    let writeEnd: @Sendable ([ActiveGeneration], inout JSONWriter) -> Void

    /// Sends everything, an error in its place, and `[DONE]`.
    func send(to events: EventWriter, withEnd: Bool) async throws {
        var finished: [ActiveGeneration] = []
        do {
            finished = try await sendTokens(to: events)
        } catch let error as APIError {
            try await events.send { $0.value(StreamError(error)) }
            return try await events.sendDone()
        }
        if withEnd { try await events.send { writeEnd(finished, &$0) } }
        try await events.sendDone()
    }

    /// - Returns: The generations at their ends, in their order.
    private func sendTokens(to events: EventWriter) async throws -> [ActiveGeneration] {
        if generations.count == 1 { return [try await send(generations[0], index: 0, to: events)] }
        return try await withThrowingTaskGroup(of: (Int, ActiveGeneration).self) { group in
            for (index, generation) in generations.enumerated() {
                group.addTask { (index, try await send(generation, index: index, to: events)) }
            }
            var finished: [(Int, ActiveGeneration)] = []
            for try await result in group { finished.append(result) }
            return finished.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func send(_ generation: ActiveGeneration, index: Int, to events: EventWriter) async throws
        -> ActiveGeneration
    {
        var generation = generation
        do {
            while let event = try await generation.next() {
                try await events.send { write(event, index, generation, &$0) }
            }
        } catch let error as APIError {
            throw error
        } catch {
            generation.abandon()
            throw error
        }
        return generation
    }
}

/// An error after the first byte, in the form that TGI gives it on OpenAI's routes, with its own status.
private struct StreamError: JSONWritable {
    let error: APIError

    init(_ error: APIError) { self.error = error }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("error")
        writer.beginObject()
        writer.member("message", error.message)
        writer.member("http_status_code", error.status.code)
        writer.endObject()
        writer.endObject()
    }
}

extension HTTPFields {
    /// The headers of one answer made of several: sums, and no time of computation.
    init(_ server: ServerContext, summing outcomes: [GenerationOutcome]) {
        self.init(server, characters: outcomes.reduce(0) { $0 + $1.request.characters })
        func sum(_ name: HTTPField.Name, _ value: (GenerationOutcome) -> Int64) {
            self[name] = "\(outcomes.reduce(0) { $0 + value($1) })"
        }
        sum(.totalTime) { $0.timing.total.inMilliseconds }
        sum(.validationTime) { $0.timing.validation.inMilliseconds }
        sum(.queueTime) { $0.timing.queue.inMilliseconds }
        sum(.inferenceTime) { $0.timing.inference.inMilliseconds }
        sum(.timePerToken) { $0.timing.perToken.inMilliseconds }
        sum(.promptTokens) { Int64($0.request.inputLength) }
        sum(.generatedTokens) { Int64($0.generatedTokens) }
    }
}
