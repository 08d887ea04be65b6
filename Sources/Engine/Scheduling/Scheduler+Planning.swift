/// The choice of a step.
extension Scheduler {
    /// Chooses the next step. Every part of it must be committed, or its sequence removed, before the next call.
    package mutating func plan(into plan: inout StepPlan) {
        plan.removeAll()
        plan.preempted = makeRoomForDecoding()
        admit(&plan)
        compose(&plan)
    }

    /// Sees to it that every decoding sequence that the step takes has room for its next token, oldest first.
    ///
    /// - Returns: How many sequences lost their blocks.
    private mutating func makeRoomForDecoding() -> Int {
        var preempted = 0
        var taken = 0
        var index = 0
        while index < running.count, taken < limits.batchSize {
            if running[index].isPaused {
                index += 1
                continue
            }
            let id = running[index].id
            while index < running.count, running[index].id == id, running[index].remaining == 1,
                !grow(index, to: running[index].tokens.count)
            {
                // Whoever waits for a slow reader first, then the youngest, which may be this one.
                let victim = running.lastIndex(where: \.isPaused) ?? running.count - 1
                preempt(victim)
                preempted += 1
                if victim < index { index -= 1 }
            }
            if index < running.count, running[index].id == id {
                taken += 1
                index += 1
            }
        }
        return preempted
    }

    private mutating func admit(_ plan: inout StepPlan) {
        var active = running.count { !$0.isPaused }
        var index = 0
        while index < waiting.count, active < limits.batchSize {
            if waiting[index].isPaused {
                index += 1
                continue
            }
            guard start(index, beside: active, &plan) else { return }
            active += 1
        }
    }

    /// Gives a waiting sequence the blocks for its tokens, if there are enough beside one for each running sequence.
    private mutating func start(_ index: Int, beside active: Int, _ plan: inout StepPlan) -> Bool {
        let sequence = waiting.remove(at: index)
        var place = Self.position(of: sequence.id, in: running)
        running.insert(sequence, at: place)
        adoptCachedBlocks(place)
        let needed = BlockPool.blocks(for: sequence.tokens.count) - running[place].table.count + active
        while pool.available < needed || lacksWindows, let paused = running.lastIndex(where: \.isPaused) {
            preempt(paused)
            plan.preempted += 1
            if paused < place { place -= 1 }
        }
        guard pool.available >= needed else {
            preempt(place)
            return false
        }
        let hasRoom = grow(place, to: sequence.tokens.count)
        precondition(hasRoom, "blocks that were counted are gone")
        return true
    }

    private mutating func compose(_ plan: inout StepPlan) {
        var room = Room(rows: limits.stepRows, outputs: limits.outputRows, sequences: limits.batchSize)
        prefilling.removeAll(keepingCapacity: true)
        for index in running.indices where !running[index].isPaused && room.sequences > 0 {
            room.sequences -= 1
            if running[index].remaining > 1 { adoptCachedBlocks(index) }
            if running[index].remaining > 1 || !running[index].hasStarted {
                prefilling.append(index)
            } else {
                take(index, 1, &room, &plan)
            }
        }
        addPrefill(&room, &plan)
        addDrafts(&room, &plan)
        guard windows != nil else { return }
        for work in plan.work {
            if let index = index(of: work.id, in: running) { growWindow(of: index, to: work.first + work.rows) }
        }
    }

    private mutating func addPrefill(_ room: inout Room, _ plan: inout StepPlan) {
        guard let oldest = prefilling.first else { return }
        let isShared = prefilling.count > 1 || !plan.work.isEmpty
        var budget = min(limits.prefillRows, room.rows, isShared ? limits.sharedPrefillRows : limits.stepRows)
        let promised = prefilling.count > 1 ? (budget + 1) / 2 : budget
        let reserved = min(promised, running[oldest].remaining)
        var rest = budget - reserved
        // One output is kept for the oldest.
        room.outputs -= 1
        var others: [Int] = []
        swap(&others, &prefilling)
        defer { swap(&others, &prefilling) }
        others.removeFirst()
        others.sort { (running[$0].remaining, $0) < (running[$1].remaining, $1) }
        for index in others where !waitsForAnother(index, oldest, plan) {
            let count = min(running[index].remaining, rest)
            rest -= take(index, count, &room, &plan)
        }
        room.outputs += 1
        budget = reserved + rest
        take(oldest, min(running[oldest].remaining, budget), &room, &plan)
    }

    /// Whether another sequence computes in this step what this one needs next: then it only has to take it over.
    private func waitsForAnother(_ index: Int, _ oldest: Int, _ plan: StepPlan) -> Bool {
        if isSameBlockNext(running[oldest], running[index]) { return true }
        return plan.work.contains { work in
            work.count > 1
                && self.index(of: work.id, in: running).map { isSameBlockNext(running[$0], running[index]) } ?? false
        }
    }

    /// Adds up to `count` rows of a sequence to the step, fewer where logits are wanted for more rows than there is room for.
    @discardableResult
    private mutating func take(_ index: Int, _ count: Int, _ room: inout Room, _ plan: inout StepPlan) -> Int {
        let sequence = running[index]
        let silent = max(0, sequence.outputsFrom - sequence.computed)
        let count = min(count, silent + room.outputs, room.rows)
        guard count > 0 else { return 0 }
        let outputs = max(0, count - silent)
        plan.work.append(
            .init(
                id: sequence.id, first: sequence.computed, count: count, outputs: outputs,
                promptRows: max(0, min(sequence.promptCount, sequence.computed + count) - sequence.computed),
                isFirst: !sequence.hasStarted))
        running[index].hasStarted = true
        room.rows -= count
        room.outputs -= outputs
        return count
    }

    /// Adds drafts to the decoding sequences of a plan, oldest first, where rows, logits and blocks are left over.
    private mutating func addDrafts(_ room: inout Room, _ plan: inout StepPlan) {
        var left = limits.draftedStepRows - (limits.stepRows - room.rows)
        guard left > 0 else { return }
        for part in plan.work.indices {
            guard let index = index(of: plan.work[part].id, in: running), running[index].draftCount > 0 else {
                continue
            }
            var count = min(running[index].draftCount, left, room.rows, room.outputs)
            guard count > 0 else { continue }
            // The last blocks are for tokens that are sure.
            if pool.available > running.count { _ = grow(index, to: running[index].tokens.count + count) }
            count = min(count, running[index].table.count * BlockPool.blockLength - running[index].tokens.count)
            plan.work[part].drafts = count
            plan.work[part].outputs += count
            left -= count
            room.rows -= count
            room.outputs -= count
        }
    }

    /// What a step can still take.
    private struct Room {
        var rows: Int
        var outputs: Int
        var sequences: Int
    }
}
