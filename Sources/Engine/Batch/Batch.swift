internal import Compute
internal import Models
internal import Synchronization
internal import Tokenizer

/// Requests that run together on one runtime: each ``step()`` runs the rows that the scheduler chooses, chooses tokens and hands out
/// events. Driven by one thread, which does nothing but what it is called for.
package final class Batch {
    package struct Options: Sendable {
        /// Prompt tokens that one step runs at most. No step runs more than twice what the device needs to be busy: more rows would
        /// hardly make it faster, but whoever arrives or leaves meanwhile waits for the step's end.
        package var maxPrefillTokens = Int.max
        /// The same for steps in which several requests wait for their tokens; `nil` for what the device needs to be busy: with fewer
        /// it would be slower, with more running texts would halt longer, and new ones wait longer, for no gain.
        package var sharedPrefillTokens: Int?
        /// Tokens to draft for each request at most; 0 turns speculation off.
        package var speculation = 0

        package init() {}
    }

    package let runtime: Runtime
    private let options: Options
    private var scheduler: Scheduler
    private var plan = StepPlan()
    private var inputs: StepInputs
    private var requests: [Int: ActiveRequest] = [:]
    private let sampling: SamplingStage
    private let clock = ContinuousClock()

    package init(_ runtime: Runtime, _ options: Options = .init()) {
        self.runtime = runtime
        self.options = options
        scheduler = Self.scheduler(runtime, options)
        inputs = runtime.makeInputs()
        sampling = SamplingStage(runtime)
    }

    private static func scheduler(_ runtime: Runtime, _ options: Options) -> Scheduler {
        let configuration = runtime.configuration
        let busy = runtime.device.saturatingRows
        var limits = Scheduler.Limits(
            stepRows: configuration.stepRows, outputRows: configuration.outputRows,
            batchSize: configuration.sequences, prefillRows: min(options.maxPrefillTokens, 2 * busy),
            sharedPrefillRows: options.sharedPrefillTokens ?? busy)
        // Rows are cheap as long as memory bounds the step.
        limits.draftedStepRows = options.speculation == 0 ? 0 : busy / 2
        return Scheduler(limits, blocks: configuration.blockCount, windows: runtime.windows)
    }

    /// Whether a step would have something to do: requests that rest have not.
    package var hasWork: Bool { scheduler.hasWork }
    package var isEmpty: Bool { requests.isEmpty }
    /// Blocks that requests hold, and those whose content is kept for prompts that start with it.
    package var blocksInUse: Int { scheduler.pool.inUse }

    /// Queues a request.
    ///
    /// - Parameter id: Greater than that of every earlier request.
    /// - Returns: The seed of the request's draws; `nil` where nothing is drawn.
    @discardableResult
    package func submit(_ request: GenerationRequest, id: Int, to sink: any GenerationSink) throws(EngineError)
        -> UInt64?
    {
        let active = try ActiveRequest(
            request, sink, runtime.tokenizer, vocabulary: runtime.model.vocabularySize,
            context: runtime.configuration.contextLength, speculation: options.speculation)
        guard active.room > 0 else {
            sink.finish(throwing: nil)
            return active.seed
        }
        requests[id] = active
        scheduler.submit(
            id: id, tokens: request.prompt, positions: request.prompt.count + active.room,
            wantsAllOutputs: request.wantsPromptLogprobs)
        return active.seed
    }

    /// Ends a request without a word to its sink. Its blocks are free at once.
    ///
    /// - Returns: Text that was held back.
    @discardableResult
    package func cancel(_ id: Int) -> String {
        guard let request = requests.removeValue(forKey: id) else { return "" }
        scheduler.remove(id)
        return request.flush()
    }

    /// Lets a request go on whose sink was full.
    package func resume(_ id: Int) { scheduler.setPaused(false, id) }

    /// Ends all requests with an error, and forgets what the cache holds.
    package func failAll(_ error: EngineError) {
        for request in requests.values { request.sink.finish(throwing: error) }
        requests.removeAll()
        scheduler = Self.scheduler(runtime, options)
    }

    /// Runs one step.
    ///
    /// - Returns: What it did; `nil` where nothing was to do.
    /// - Throws: Errors of the device. All requests have to be ended then (``failAll(_:)``). An error in one request ends only that.
    package func step() throws(EngineError) -> StepReport? {
        scheduler.plan(into: &plan)
        guard !plan.work.isEmpty else { return nil }
        var report = StepReport()
        prepare(&report)

        let start = clock.now
        try runtime.step(inputs)
        let ran = clock.now
        report.forward = ran - start
        try sampling.run(plan, requests)
        for work in plan.work { deliver(work, &report) }
        report.sampling = clock.now - ran

        report.preempted = plan.preempted
        addState(to: &report)
        return report
    }

    /// How things stand between two steps: a report of no rows.
    package var state: StepReport {
        var report = StepReport()
        addState(to: &report)
        return report
    }

    private func addState(to report: inout StepReport) {
        report.running = scheduler.running.count
        report.waiting = scheduler.waiting.count
        report.tokensInUse = scheduler.pool.inUse * BlockPool.blockLength
    }

    /// Turns the plan into inputs.
    private func prepare(_ report: inout StepReport) {
        inputs.removeAll()
        let givesHeads = runtime.givesHeads
        // Plan and running sequences are in no common order.
        for work in plan.work {
            guard let sequence = scheduler.running(work.id), let request = requests[work.id] else {
                preconditionFailure("a request without a sequence")
            }
            inputs.append(
                sequence.tokens[work.first..<work.first + work.count], drafts: request.drafts[..<work.drafts],
                position: work.first, outputs: work.outputs)
            if givesHeads { request.requestHeads(work, into: &inputs) }
            inputs.blockTables.append(
                contentsOf: sequence.table[..<BlockPool.blocks(for: work.first + work.rows)])
            if scheduler.windows != nil {
                inputs.beginWindowTable()
                scheduler.appendWindowTable(
                    of: sequence, BlockPool.blocks(for: work.first + work.rows), to: &inputs.blockTables)
            }
            report.promptRows += work.promptRows
            report.decodeRows += work.rows - work.promptRows
            if work.isFirst {
                report.admitted += 1
                request.sink.send(.admitted(at: clock.now, cachedTokens: work.first))
            }
        }
    }

    /// Hands out what a request's part of the step brought.
    private func deliver(_ work: StepPlan.Work, _ report: inout StepReport) {
        guard let request = requests[work.id] else { return }
        if work.drafts > 0 { report.acceptedDrafts.append(max(0, request.chosen.count - 1)) }
        if let prompt = request.prompt { request.sink.send(.prompt(prompt)) }
        for event in request.events { request.sink.send(.token(event)) }
        if request.hasEnded {
            requests[work.id] = nil
            if request.failure == nil { scheduler.commit(work, tokens: request.chosen) }
            scheduler.remove(work.id)
            request.sink.finish(throwing: request.failure)
            return
        }
        scheduler.commit(work, tokens: request.chosen)
        if options.speculation > 0, !request.chosen.isEmpty, let tokens = scheduler.running(work.id)?.tokens {
            request.draft(after: tokens)
            scheduler.setDrafts(request.drafts.count, for: work.id)
        }
        if !request.events.isEmpty, request.sink.isFull { scheduler.setPaused(true, work.id) }
    }
}
