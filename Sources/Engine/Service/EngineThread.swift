internal import Compute
internal import Glibc
internal import Synchronization

/// The engine's thread: reads messages, runs steps, sleeps where there is nothing to do.
final class EngineThread {
    private let batch: Batch
    private let inbox: Inbox<EngineMessage>
    private let health: Health
    private let observer: (any EngineObserver)?
    private var messages: [EngineMessage] = []
    /// Why the device failed; `nil` while it works.
    private var fault: EngineError?
    /// Whether this batch of messages has had its attempt to recover.
    private var hasTriedToRecover = false
    private var pace = RecoveryPace()
    private let clock = ContinuousClock()
    private var isStopping = false
    /// Told when the thread is about to end.
    private var stops: [CheckedContinuation<Void, Never>] = []

    init(_ batch: Batch, _ inbox: Inbox<EngineMessage>, _ health: Health, _ observer: (any EngineObserver)?) {
        self.batch = batch
        self.inbox = inbox
        self.health = health
        self.observer = observer
    }

    /// Starts the thread, which from now on is the only user of everything here.
    func start() {
        let body = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe EngineThread.run(Unmanaged.fromOpaque(argument))
                return nil
            }, body.toOpaque())
        precondition(status == 0, "cannot start the engine's thread: error \(status)")
        pthread_detach(thread)
    }

    private static func run(_ body: Unmanaged<EngineThread>) {
        var stops: [CheckedContinuation<Void, Never>] = []
        do {
            let body = unsafe body.takeRetainedValue()
            body.run()
            stops = body.stops
        }
        // The runtime is gone by now.
        for stop in stops { stop.resume() }
    }

    private func run() {
        var isIdle = true
        while !isStopping {
            inbox.take(into: &messages, waiting: isIdle)
            hasTriedToRecover = false
            let hasNews = !messages.isEmpty
            for message in messages { handle(message) }
            messages.removeAll(keepingCapacity: true)
            isIdle = isStopping || !runStep()
            if isIdle, hasNews { observer?.stepFinished(batch.state) }
        }
        batch.failAll(.stopped)
        for message in inbox.close() { refuse(message) }
    }

    /// Runs a step; `false` where there is nothing to run.
    private func runStep() -> Bool {
        do {
            guard let report = try batch.step() else { return false }
            observer?.stepFinished(report)
            return true
        } catch {
            fail(error)
            return false
        }
    }

    /// Takes note of a failed device and ends all requests.
    private func fail(_ error: EngineError) {
        fault = error
        health.isGood.store(false, ordering: .relaxed)
        var report = StepReport()
        report.failed = true
        observer?.stepFinished(report)
        batch.failAll(error)
    }

    private func handle(_ message: EngineMessage) {
        switch message {
        case .submit(let request, let id, let source):
            guard !isStopping else { return source.finish(throwing: .stopped) }
            if let fault = recover() { return source.finish(throwing: fault) }
            do { try batch.submit(request, id: id, to: source) } catch { source.finish(throwing: error) }
        case .cancel(let id): batch.cancel(id)
        case .resume(let id): batch.resume(id)
        case .probe(let continuation): continuation.resume(returning: !isStopping && probe())
        case .stop(let continuation):
            isStopping = true
            if let continuation { stops.append(continuation) }
        }
    }

    /// Answers a message that came after the end.
    private func refuse(_ message: EngineMessage) {
        switch message {
        case .submit(_, _, let source): source.finish(throwing: .stopped)
        case .probe(let continuation): continuation.resume(returning: false)
        case .stop(let continuation): if let continuation { stops.append(continuation) }
        case .cancel, .resume: break
        }
    }

    private func probe() -> Bool {
        if fault != nil { return recover() == nil }
        // Steps that have just run are proof enough, and the next is about to.
        if batch.hasWork { return true }
        do {
            try batch.runtime.runTrial()
            return true
        } catch {
            fail(error)
            return false
        }
    }

    /// Sets the device up again if it has failed and it is time to. Returns what is still wrong with it.
    private func recover() -> EngineError? {
        let start = clock.now
        guard let fault, !hasTriedToRecover else { return fault }
        guard pace.isDue(at: start) else { return fault.waiting(pace.remaining(at: start)) }
        hasTriedToRecover = true
        do {
            try batch.runtime.recover()
            self.fault = nil
            pace.succeeded()
            health.isGood.store(true, ordering: .relaxed)
        } catch {
            self.fault = error
            pace.failed(from: start, to: clock.now)
        }
        return self.fault
    }
}

extension EngineError {
    /// The same error of a device that is not tried again for a while.
    fileprivate func waiting(_ pause: Duration) -> EngineError {
        guard case .backend(let path, .device(let text)) = self else { return self }
        let seconds = pause.components.seconds + 1
        return .backend(path: path, .device("\(text); it will be tried again in \(seconds) s at the earliest"))
    }
}
