import Engine
import Tokenizer

/// Steps of the scheduler alone: choosing them and taking their results, while requests end and others take their place.
func benchmarkScheduling() {
    for (running, waiting) in [(1000, 0), (64, 1000)] {
        var load = SchedulerLoad(running: running, waiting: waiting)
        for _ in 0..<2000 { load.step() }
        measure("scheduler: a step, \(running) running, \(waiting) waiting", unit: "steps") { load.step() }
    }
}

/// As many requests as there is room for, and some that wait: prompts of 33 to 64 tokens, answers of 64 to 127.
private struct SchedulerLoad {
    private var scheduler: Scheduler
    private var plan = StepPlan()
    private var lastID = 0

    init(running: Int, waiting: Int) {
        let limits = Scheduler.Limits(
            stepRows: running + 64, outputRows: running, batchSize: running, prefillRows: 128, sharedPrefillRows: 64)
        let blocks = (running + waiting) * BlockPool.blocks(for: 64 + 128)
        scheduler = Scheduler(limits, blocks: blocks)
        for _ in 0..<running + waiting { submit() }
    }

    private mutating func submit() {
        lastID += 1
        let count = 33 + lastID % 32
        // No two begin alike: nothing is shared.
        let tokens = (0..<count).map { TokenID(truncatingIfNeeded: lastID &* 31 &+ $0) }
        scheduler.submit(id: lastID, tokens: tokens, positions: count + 128)
    }

    mutating func step() {
        scheduler.plan(into: &plan)
        for work in plan.work {
            scheduler.commit(work, tokens: work.outputs > 0 ? [7] : [])
            guard let sequence = scheduler.running(work.id) else { continue }
            if sequence.tokens.count - sequence.promptCount >= 64 + work.id % 64 {
                scheduler.remove(work.id)
                submit()
            }
        }
    }
}
