internal import CSoftXPU
import Glibc

/// The device: one thread that executes one command at a time. Level Zero only promises that commands of a list begin in their order; whatever
/// barriers and events leave open is decided by chance here, so that a missing one shows.
extension Driver {
    // MARK: Submitting

    func submit(_ commands: [Command], of lists: [CommandList], to queue: Queue, isOrdered: Bool, fence: Fence?)
        throws(Failure)
    {
        if queue.context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        for command in commands {
            if let stale = command.stale {
                throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(command.label) uses \(stale)")
            }
        }
        submissions += 1
        let count = commands.count + (fence == nil ? 0 : 1)
        let hangs = options.hang?.hits(submissions) ?? false
        let fails = options.loseDevice?.hits(submissions) ?? false
        if hangs { Report.say("injected fault: submission \(submissions) hangs (SOFTXPU_HANG)") }
        if fails { Report.say("injected fault: the device is lost in submission \(submissions) (SOFTXPU_LOSE_DEVICE)") }
        let submission = Submission(
            queue, lists, count: count, due: Monitor.now + UInt64(options.linger) * 1_000_000, hangs: hangs,
            failsAt: fails ? count - commands.count / 2 : nil)
        for list in lists { list.inFlight += 1 }
        queue.pending += commands.map { Pending(command: $0, submission: submission, isOrdered: isOrdered) }
        if let fence {
            fence.isPending = true
            queue.pending.append(
                Pending(
                    command: Command(label: fence.label, action: .fence(fence)), submission: submission,
                    isOrdered: false))
        }
        if count == 0 { complete(submission) }
        stalledSince = nil
        startThread()
        monitor.broadcast()
    }

    private func startThread() {
        if isThreadRunning { return }
        isThreadRunning = true
        var thread = pthread_t()
        let failed = unsafe pthread_create(
            &thread, nil,
            { _ in
                driver.executeForever()
                return nil
            }, nil)
        if failed != 0 {
            Report.say("no thread for the device can be started (error \(failed))")
            Report.end()
        }
        pthread_detach(thread)
    }

    // MARK: Choosing

    /// Commands that may begin now.
    private func candidates() -> [(queue: Queue, position: Int)] {
        var found: [(Queue, Int)] = []
        for queue in queues.sorted where !queue.pending.isEmpty {
            // Whether something before the command is not complete.
            var isPreceded = false
            for (position, pending) in queue.pending.enumerated() {
                if pending.submission.hangs { break }
                if case .fence = pending.command.action {
                    if !isPreceded { found.append((queue, position)) }
                    continue
                }
                var isBarrier = pending.isOrdered
                if case .barrier = pending.command.action { isBarrier = true }
                if isBarrier && isPreceded { break }
                // Later commands do not begin before this one.
                if !pending.command.waits.allSatisfy(\.isSignalled) { break }
                found.append((queue, position))
                isPreceded = true
                if isBarrier { break }
                switch pending.command.action {
                case .reset: break
                case .mark where pending.command.signal == nil: break
                default: continue
                }
                // A reset or a bare wait is over at once; what follows sees it.
                break
            }
        }
        return found
    }

    /// Whether something is submitted that could begin, has begun, or will once it has lingered.
    var canProgress: Bool { isExecuting || !candidates().isEmpty }

    private func executeForever() {
        monitor.lock()
        while true {
            let ready = isEnding ? [] : candidates()
            if ready.isEmpty {
                rest()
                if stalledSince == nil { stalledSince = Monitor.now }
                monitor.wait(until: nil)
                continue
            }
            stalledSince = nil
            if waiters == 0 && !isAsked {
                let due = ready.map { $0.queue.pending[$0.position].submission.due }.min()!
                if Monitor.now < due {
                    rest()
                    monitor.wait(until: due)
                    continue
                }
                isAsked = true
            }
            let choice = options.shuffles ? ready.randomElement(using: &order)! : ready[0]
            execute(choice.queue.pending[choice.position], on: choice.queue)
        }
    }

    /// Nothing runs: the host must not touch device memory. What is submitted from now on lingers again.
    private func rest() {
        isAsked = false
        lockAll()
    }

    private func lockAll() {
        for allocation in unlocked { allocation.lock() }
        unlocked = []
    }

    func unlock(_ allocation: Allocation) {
        if !allocation.isLocked { return }
        allocation.unlock()
        unlocked.append(allocation)
    }

    // MARK: Completing

    private func execute(_ pending: Pending, on queue: Queue) {
        let (command, submission) = (pending.command, pending.submission)
        if submission.failsAt == submission.remaining {
            lose(queue.context)
            return
        }
        isExecuting = true
        let start = Monitor.now
        let problem = perform(command, on: queue)
        isExecuting = false
        if options.protection == .exceptNamed { lockAll() }
        monitor.broadcast()
        if let problem {
            Report.violation("executing \(command.label): \(problem)", strict: options.strict)
            lose(queue.context)
            return
        }
        // The context may have been lost to another queue's fault meanwhile.
        guard let position = queue.pending.firstIndex(where: { $0.command === command && $0.submission === submission })
        else {
            return
        }
        queue.pending.remove(at: position)
        if let event = command.signal { signal(event, by: command, on: queue.device, start: start) }
        command.executions += 1
        submission.remaining -= 1
        if submission.remaining == 0 { complete(submission) }
        monitor.broadcast()
    }

    private func signal(_ event: Event, by command: Command, on device: Device, start: UInt64) {
        if event.isSignalled && command.executions > 0 {
            Report.violation(
                "executing \(command.label): \(event.label) is still signalled from the list's last execution, so whoever waits for "
                    + "it passes too early; reset events before a list is executed again", strict: options.strict)
        }
        event.isSignalled = true
        if event.pool.hasTimestamps {
            event.times = (ticks(start, device), max(ticks(Monitor.now, device), ticks(start, device) + 1))
        }
    }

    /// What a device's timer shows at a time in nanoseconds of the monotonic clock.
    func ticks(_ nanoseconds: UInt64, _ device: Device) -> UInt64 {
        let (since, from) = options.timer.map { (nanoseconds - started, $0) } ?? (nanoseconds, 0)
        let (high, low) = since.multipliedFullWidth(by: device.profile.timerFrequency)
        return UInt64(1_000_000_000).dividingFullWidth((high, low)).quotient &+ from
    }

    private func complete(_ submission: Submission) {
        for list in submission.lists { list.inFlight -= 1 }
    }

    /// The device failed: everything that the context had submitted is gone.
    func lose(_ context: Context) {
        context.isLost = true
        for queue in queues.sorted where queue.context === context {
            queue.pending = []
        }
        for list in lists.sorted where list.context === context { list.inFlight = 0 }
        for fence in fences.sorted where fence.queue.context === context { fence.isPending = false }
        monitor.broadcast()
    }

    // MARK: Waiting

    /// Waits until `done`, at most `timeout` nanoseconds (UINT64_MAX: for ever). `what` says what is waited for.
    func wait(_ context: Context, timeout: UInt64, for what: String, until done: () -> Bool) throws(Failure) {
        if context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        if done() { return }
        if timeout == 0 {
            isAsked = true
            monitor.broadcast()
            throw .answer(ZE_RESULT_NOT_READY)
        }
        let (sum, overflows) = Monitor.now.addingReportingOverflow(timeout)
        let deadline = overflows ? nil : sum
        let began = Monitor.now
        waiters += 1
        defer { waiters -= 1 }
        startThread()
        monitor.broadcast()
        while true {
            if context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
            if done() { return }
            let now = Monitor.now
            if let deadline, now >= deadline { throw .answer(ZE_RESULT_NOT_READY) }
            let patience = UInt64(options.stall) * 1_000_000
            if let since = stalledSince, now >= max(since, began) + patience, !canProgress {
                // Bounded waits end by themselves; without a bound the program would hang for ever.
                if deadline == nil { throw deadlock(context, what) }
            }
            let check = max(now, max(stalledSince ?? now, began) + patience) + 10_000_000
            monitor.wait(until: deadline.map { min($0, check) } ?? check)
        }
    }

    private func deadlock(_ context: Context, _ what: String) -> Failure {
        var blocked: [String] = []
        for queue in queues.sorted {
            guard let first = queue.pending.first else { continue }
            if first.submission.hangs {
                lose(context)
                return .refusal(
                    ZE_RESULT_ERROR_DEVICE_LOST,
                    "waits without a limit for \(what), which hangs (injected); a real device would be reset")
            }
            let missing = first.command.waits.filter { !$0.isSignalled }.map(\.label)
            blocked.append("\(first.command.label) waits for \(missing.joined(separator: ", "))")
        }
        let why = blocked.isEmpty ? "nothing is submitted that would end it" : blocked.joined(separator: "; ")
        lose(context)
        return .violation(
            ZE_RESULT_ERROR_DEVICE_LOST,
            "waits without a limit for \(what), but \(why), and nothing has happened for \(options.stall) ms")
    }
}
