import Engine
import TestSupport
import Testing
import Tokenizer

@Suite struct SchedulerTests {
    private func limits(
        rows: Int = 48, outputs: Int = 8, batch: Int = 3, prefill: Int = 40, shared: Int = 24, drafts: Int = 0
    ) -> Scheduler.Limits {
        var limits = Scheduler.Limits(
            stepRows: rows, outputRows: outputs, batchSize: batch, prefillRows: prefill, sharedPrefillRows: shared)
        limits.draftedStepRows = drafts
        return limits
    }

    private func prompt(_ count: Int, _ first: TokenID = 1) -> [TokenID] {
        (0..<count).map { $0 == 0 ? first : TokenID($0 % 5) }
    }

    /// What can happen to the small engine of the exhaustive test.
    private enum Operation: CaseIterable {
        case submitShort, submitLong, submitScored, cancelOldest, cancelYoungest, pauseOldest, resume, steps
    }

    /// Every series of five events, with three blocks for up to three requests: every kind of pre-emption occurs.
    @Test(arguments: [nil, 20]) func `Every short course of events keeps the invariants`(reach: Int?) {
        var problems: [String] = []
        var courses = 0
        var preemptions = 0
        var shared = 0
        let alphabet = Operation.allCases
        let depth = 5
        let count = (0..<depth).reduce(1) { product, _ in product * alphabet.count }
        for course in 0..<count {
            var simulation = SchedulerSimulation(limits(drafts: 8), blocks: 3, reach: reach, seed: UInt64(course))
            var code = course
            for _ in 0..<depth {
                apply(alphabet[code % alphabet.count], to: &simulation, &problems)
                code /= alphabet.count
            }
            drain(&simulation, &problems, limit: 400)
            courses += 1
            preemptions += simulation.preemptions
            shared += simulation.sharedBlocks
            if !problems.isEmpty { break }
        }
        #expect(problems.isEmpty)
        #expect(courses == count)
        // Everything that could go wrong has had its chance.
        #expect(preemptions > 1000)
        #expect(shared > 10_000)
    }

    private func apply(_ operation: Operation, to simulation: inout SchedulerSimulation, _ problems: inout [String]) {
        let ids = simulation.requests.keys.sorted()
        switch operation {
        case .submitShort: simulation.submit(prompt(30), length: 40)
        case .submitLong: simulation.submit(prompt(66), length: 20)
        case .submitScored: simulation.submit(prompt(35), length: 3, wantsAllOutputs: true)
        case .cancelOldest: if let id = ids.first { simulation.cancel(id) }
        case .cancelYoungest: if let id = ids.last { simulation.cancel(id) }
        case .pauseOldest: if let id = ids.first { simulation.setPaused(true, id) }
        case .resume: for id in ids { simulation.setPaused(false, id) }
        case .steps: for _ in 0..<12 { if let problem = simulation.step() { problems.append(problem) } }
        }
    }

    /// Lets everything end: nobody may be left, and all must have what they would have got alone.
    private func drain(_ simulation: inout SchedulerSimulation, _ problems: inout [String], limit: Int) {
        for id in simulation.requests.keys { simulation.setPaused(false, id) }
        let open = simulation.requests
        var steps = 0
        while simulation.hasWork, problems.isEmpty {
            if let problem = simulation.step() { problems.append(problem) }
            steps += 1
            if steps > limit { problems.append("\(simulation.requests.count) requests starve") }
        }
        let pool = simulation.scheduler.pool
        if problems.isEmpty, pool.inUse + pool.windowsInUse != 0 { problems.append("blocks leaked") }
        for (id, request) in open where problems.isEmpty {
            let expected = SchedulerSimulation.expected(request.prompt, length: request.length)
            if simulation.finished[id] != expected { problems.append("request \(id) got other tokens") }
        }
    }

    @Test(arguments: Soak.seeds(24))
    func `Long random courses of events keep the invariants`(seed: UInt64) {
        let problems = RandomCourse(seed: seed).run(events: 600)
        #expect(problems.isEmpty)
    }

    @Test func `A long prompt is split and does not hold up those that decode`() {
        var simulation = SchedulerSimulation(limits(rows: 300, prefill: 200, shared: 50), blocks: 40)
        simulation.submit(prompt(5), length: 30)
        _ = simulation.step()
        let before = simulation.rows
        simulation.submit(prompt(400, 2), length: 2)
        for step in 1...8 {
            #expect(simulation.step() == nil)
            #expect(simulation.rows - before == 51 * step)
        }
    }

    @Test func `A lone long prompt uses the whole step`() {
        var simulation = SchedulerSimulation(limits(rows: 300, prefill: 200, shared: 50), blocks: 40)
        simulation.submit(prompt(400), length: 2)
        #expect(simulation.step() == nil && simulation.rows == 200)
    }

    @Test func `A short prompt gets its first token while a long one is read`() {
        var simulation = SchedulerSimulation(limits(rows: 300, prefill: 200, shared: 50), blocks: 80)
        simulation.submit(prompt(1000), length: 2)
        simulation.submit(prompt(1000, 2), length: 2)
        _ = simulation.step()
        let short = simulation.submit(prompt(20, 3), length: 5)
        _ = simulation.step()
        #expect(simulation.requests[short]?.tokens.count == 21)
    }

    @Test func `A prompt that starts like an earlier one computes only the rest`() {
        var simulation = SchedulerSimulation(limits(rows: 300, prefill: 300, shared: 300), blocks: 20)
        simulation.submit(prompt(100), length: 5)
        while simulation.hasWork { #expect(simulation.step() == nil) }
        #expect(simulation.rows == 104)
        // Three full blocks are there; the whole prompt is, too, but its last token is always computed.
        simulation.submit(prompt(96) + [4, 4], length: 1)
        _ = simulation.step()
        #expect(simulation.rows == 104 + 2)
        simulation.submit(prompt(96), length: 1)
        _ = simulation.step()
        #expect(simulation.rows == 106 + 32)
        // Who wants the logits of all tokens computes them all.
        simulation.submit(prompt(96), length: 1, wantsAllOutputs: true)
        while simulation.hasWork { #expect(simulation.step() == nil) }
        #expect(simulation.rows == 138 + 96)
    }

    @Test func `Equal prompts that arrive together are computed once`() {
        var simulation = SchedulerSimulation(
            limits(rows: 300, outputs: 16, batch: 16, prefill: 40, shared: 40), blocks: 80)
        for _ in 0..<8 { simulation.submit(prompt(200), length: 1) }
        while simulation.hasWork { #expect(simulation.step() == nil) }
        // 192 tokens are six blocks.
        #expect(simulation.rows == 200 + 7 * 8)
    }

    @Test func `The least recently used prefix goes first`() {
        var simulation = SchedulerSimulation(limits(rows: 300, prefill: 300, shared: 300), blocks: 4)
        for first: TokenID in [1, 2, 1, 3] {
            simulation.submit(prompt(40, first), length: 1)
            while simulation.hasWork { #expect(simulation.step() == nil) }
        }
        let before = simulation.rows
        simulation.submit(prompt(40, 1), length: 1)
        _ = simulation.step()
        #expect(simulation.rows - before == 8)
    }

    @Test func `A long prefix without windows is not looked up again in each step`() {
        let blocks = 400
        var simulation = SchedulerSimulation(limits(batch: 1), blocks: 2 * blocks, reach: 40, seed: 1)
        func run(_ tokens: [TokenID]) -> Int {
            let before = simulation.scheduler.pool.searches
            simulation.submit(tokens, length: 1)
            while simulation.hasWork { #expect(simulation.step() == nil) }
            return simulation.scheduler.pool.searches - before
        }
        let long = prompt(blocks * BlockPool.blockLength - 1)
        // Each block is looked for once before it is computed and once when it is full.
        #expect(run(long) <= 3 * blocks)
        // What follows takes the windows of the first away.
        _ = run(prompt(blocks * BlockPool.blockLength - 1, 2))
        #expect(simulation.scheduler.pool.window(of: 0) == nil)
        let again = run(long)
        #expect(again > blocks && again < 12 * blocks, "\(again)")
    }

    @Test func `A cached prefix is used only with the windows behind it`() {
        // Room for the windows of two sequences of one or two blocks each, and for a step.
        var simulation = SchedulerSimulation(
            limits(rows: 32, outputs: 8, batch: 2, prefill: 32, shared: 32), blocks: 60, reach: 20)
        #expect(simulation.scheduler.windows?.blocks == 7)
        func run(_ tokens: [TokenID]) -> Int {
            let before = simulation.rows
            simulation.submit(tokens, length: 1)
            while simulation.hasWork { #expect(simulation.step() == nil) }
            return simulation.rows - before
        }
        #expect(run(prompt(330)) == 330)
        // The same again: the windows of the last blocks are there.
        #expect(run(prompt(330)) == 10)
        // Another prompt takes the windows of the first blocks away, and its own first ones again.
        #expect(run(prompt(330, 2)) == 330)
        // Of the first prompt no window is left: its blocks do not count, and are computed and joined again.
        #expect(run(prompt(330)) == 330)
        #expect(run(prompt(330)) == 10)
        // What ends earlier needs windows that are gone, too.
        #expect(run(prompt(70)) == 70)
        #expect(simulation.scheduler.pool.windowsInUse == 0)
    }

    @Test func `A long sequence holds the window blocks in reach only`() {
        var simulation = SchedulerSimulation(limits(rows: 300, prefill: 64, shared: 64), blocks: 80, reach: 100)
        let id = simulation.submit(prompt(2000), length: 50)
        var most = 0
        while simulation.hasWork {
            #expect(simulation.step() == nil)
            most = max(most, simulation.scheduler.running(id)?.window.count ?? 0)
        }
        // A hundred positions touch five blocks at most.
        #expect(most <= 5)
        #expect(simulation.rows == 2049)
    }

    @Test func `Readers that rest make room for others`() {
        var simulation = SchedulerSimulation(limits(batch: 2), blocks: 4)
        let slow = [simulation.submit(prompt(40), length: 30), simulation.submit(prompt(40, 2), length: 30)]
        for _ in 0..<6 { _ = simulation.step() }
        for id in slow { simulation.setPaused(true, id) }
        let quick = simulation.submit(prompt(60, 3), length: 40)
        while simulation.requests[quick] != nil { #expect(simulation.step() == nil) }
        for id in slow { simulation.setPaused(false, id) }
        while simulation.hasWork { #expect(simulation.step() == nil) }
        for id in slow { #expect(simulation.finished[id]?.count == 70) }
    }
}

/// A random course of events on an engine of random size.
struct RandomCourse {
    private var random: SplitMix
    private var simulation: SchedulerSimulation
    private let capacity: Int

    init(seed: UInt64) {
        random = SplitMix(seed)
        let batch = Int.random(in: 1...8, using: &random)
        let blocks = Int.random(in: 4...24, using: &random)
        capacity = blocks * BlockPool.blockLength
        var limits = Scheduler.Limits(
            stepRows: batch + Int.random(in: 1...100, using: &random),
            outputRows: batch + Int.random(in: 0...20, using: &random), batchSize: batch,
            prefillRows: Int.random(in: 1...100, using: &random),
            sharedPrefillRows: Int.random(in: 1...100, using: &random))
        limits.draftedStepRows = Bool.random(using: &random) ? 0 : Int.random(in: 1...30, using: &random)
        let reach = Bool.random(using: &random) ? nil : Int.random(in: 1...150, using: &random)
        simulation = SchedulerSimulation(limits, blocks: blocks, reach: reach, seed: seed)
    }

    func run(events: Int) -> [String] {
        var course = self
        return course.runAll(events)
    }

    private mutating func runAll(_ events: Int) -> [String] {
        var prompts: [Int: (prompt: [TokenID], length: Int)] = [:]
        for event in 0..<events {
            let ids = simulation.requests.keys.sorted()
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1:
                let prompt = prompt()
                let length = Int.random(in: 1...(capacity - prompt.count), using: &random) % 100 + 1
                let scored = Int.random(in: 0..<8, using: &random) == 0
                guard prompt.count + length <= capacity else { continue }
                prompts[simulation.submit(prompt, length: length, wantsAllOutputs: scored)] = (prompt, length)
            case 2: if let id = ids.randomElement(using: &random) { simulation.cancel(id) }
            case 3: if let id = ids.randomElement(using: &random) { simulation.setPaused(true, id) }
            case 4, 5: if let id = ids.randomElement(using: &random) { simulation.setPaused(false, id) }
            default: if let problem = simulation.step() { return ["event \(event): \(problem)"] }
            }
        }
        for id in simulation.requests.keys { simulation.setPaused(false, id) }
        var steps = 0
        while simulation.hasWork {
            if let problem = simulation.step() { return ["at the end: \(problem)"] }
            steps += 1
            if steps > 1_000_000 { return ["\(simulation.requests.count) requests starve"] }
        }
        let pool = simulation.scheduler.pool
        if pool.inUse + pool.windowsInUse != 0 { return ["blocks leaked"] }
        for (id, tokens) in simulation.finished {
            guard let (prompt, length) = prompts[id] else { return ["an unknown request ended"] }
            if tokens != SchedulerSimulation.expected(prompt, length: length) { return ["\(id) got other tokens"] }
        }
        return []
    }

    /// Often the start of others.
    private mutating func prompt() -> [TokenID] {
        let count = Int.random(in: 1...min(capacity - 2, 200), using: &random)
        let kind = TokenID.random(in: 0..<3, using: &random)
        let shared = Int.random(in: 0...count, using: &random)
        return (0..<count).map { place in
            place < shared ? kind : TokenID.random(in: 0..<4, using: &random)
        }
    }
}
