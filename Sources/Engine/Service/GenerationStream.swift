internal import Synchronization

/// The events of one request, for one reader.
///
/// The engine never waits for the reader: it leaves a sequence out of its steps while the stream is full, and ends it when the reader
/// is cancelled or lets go of the stream.
package struct GenerationStream: AsyncSequence, Sendable {
    package typealias Element = StreamEvent
    package typealias Failure = EngineError

    private let reader: Reader

    /// - Parameters:
    ///   - capacity: Events that wait for the reader before ``Source/isFull``.
    ///   - onRoom: Called when a full stream has room again; on the reader's thread.
    ///   - onCancel: Called at most once, when the reader leaves before the end; on any thread.
    package static func make(
        capacity: Int = 256, onRoom: @escaping @Sendable () -> Void = {}, onCancel: @escaping @Sendable () -> Void
    ) -> (stream: GenerationStream, source: Source) {
        let source = Source(capacity: capacity, onRoom: onRoom, onCancel: onCancel)
        return (GenerationStream(reader: Reader(source)), source)
    }

    /// Ends the request, if it has not ended.
    package func cancel() { reader.source.cancel() }

    /// Waits until there is something to tell the reader, at most for `limit`. Nothing is read.
    ///
    /// - Returns: Whether the stream has ended without a token: reading tells why.
    package func endsBeforeItStarts(within limit: Duration) async -> Bool {
        await reader.source.endsBeforeItStarts(within: limit)
    }

    package func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let reader: Reader

        package mutating func next() async throws(EngineError) -> StreamEvent? {
            try await reader.source.next()
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(EngineError) -> StreamEvent? {
            try await reader.source.next()
        }
    }

    /// Lives as long as anybody can still read.
    fileprivate final class Reader: Sendable {
        let source: Source

        init(_ source: Source) { self.source = source }

        deinit { source.cancel() }
    }
}

extension GenerationStream {
    /// The engine's end of a stream. What is sent after the end, or after the reader has left, is dropped.
    package final class Source: Sendable {
        private struct State {
            var events: [StreamEvent] = []
            /// Events before this index have been read.
            var first = 0
            var waiting: CheckedContinuation<Result<StreamEvent?, EngineError>, Never>?
            var end: Result<StreamEvent?, EngineError>?
            var wasFull = false
            /// Waits for the first event that is for the reader, or the end.
            var watcher: CheckedContinuation<Void, Never>?

            var hasStarted: Bool {
                events[first...].contains { if case .admitted = $0 { false } else { true } }
            }

            var count: Int { events.count - first }

            mutating func removeFirst() -> StreamEvent {
                defer {
                    first += 1
                    if first == events.count {
                        events.removeAll(keepingCapacity: true)
                        first = 0
                    }
                }
                return events[first]
            }
        }

        private let state = Mutex(State())
        private let capacity: Int
        private let onRoom: @Sendable () -> Void
        private let onCancel: @Sendable () -> Void

        fileprivate init(
            capacity: Int, onRoom: @escaping @Sendable () -> Void, onCancel: @escaping @Sendable () -> Void
        ) {
            self.capacity = capacity
            self.onRoom = onRoom
            self.onCancel = onCancel
        }

        /// Whether the reader is far behind. `onRoom` follows when it has caught up.
        package var isFull: Bool {
            state.withLock { state in
                state.wasFull = state.count >= capacity
                return state.wasFull
            }
        }

        package func send(_ event: StreamEvent) {
            let waiting = state.withLock { state -> CheckedContinuation<Result<StreamEvent?, EngineError>, Never>? in
                guard state.end == nil else { return nil }
                if let waiting = state.waiting {
                    state.waiting = nil
                    return waiting
                }
                state.events.append(event)
                return nil
            }
            waiting?.resume(returning: .success(event))
            if case .admitted = event { return }
            stopWatching()
        }

        /// Ends the stream, with an error or as it should.
        package func finish(throwing error: EngineError? = nil) {
            let end: Result<StreamEvent?, EngineError> = error.map { .failure($0) } ?? .success(nil)
            let waiting = state.withLock { state -> CheckedContinuation<Result<StreamEvent?, EngineError>, Never>? in
                guard state.end == nil else { return nil }
                state.end = end
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume(returning: end)
            stopWatching()
        }

        fileprivate func endsBeforeItStarts(within limit: Duration) async -> Bool {
            await withTaskGroup { group in
                group.addTask { await self.watch() }
                group.addTask {
                    try? await Task.sleep(for: limit)
                    self.stopWatching()
                }
                await group.next()
                group.cancelAll()
                stopWatching()
            }
            return state.withLock { $0.end != nil && !$0.hasStarted }
        }

        private func watch() async {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    precondition(state.watcher == nil, "a stream has one reader")
                    if state.end != nil || state.hasStarted { return true }
                    state.watcher = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        }

        private func stopWatching() {
            let watcher = state.withLock { state in
                defer { state.watcher = nil }
                return state.watcher
            }
            watcher?.resume()
        }

        fileprivate func cancel() {
            let hadEnded = state.withLock { state in
                state.events.removeAll()
                state.first = 0
                return state.end != nil
            }
            guard !hadEnded else { return }
            finish()
            onCancel()
        }

        fileprivate func next() async throws(EngineError) -> StreamEvent? {
            let result = await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    var hasRoom = false
                    let ready = state.withLock { state -> Result<StreamEvent?, EngineError>? in
                        precondition(state.waiting == nil, "a stream has one reader")
                        if state.count > 0 {
                            let event = state.removeFirst()
                            hasRoom = state.wasFull && state.count <= capacity / 2
                            if hasRoom { state.wasFull = false }
                            return .success(event)
                        }
                        if let end = state.end { return end }
                        state.waiting = continuation
                        return nil
                    }
                    if hasRoom { onRoom() }
                    if let ready { continuation.resume(returning: ready) }
                }
            } onCancel: {
                cancel()
            }
            return try result.get()
        }
    }
}
