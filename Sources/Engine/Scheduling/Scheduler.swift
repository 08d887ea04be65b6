package import Tokenizer

/// Decides which tokens of which sequences go into the next step, and which blocks of the KV cache they use.
///
/// A pure state machine: no tensors, no clock, no input or output. ``plan(into:)`` chooses a step, ``commit(_:tokens:)`` takes what it
/// brought. The rules:
///
/// - *Continuous batching*: sequences join and leave between any two steps. Each running one that has only its last token to compute
///   (it *decodes*) has a row in every step.
/// - *Chunked prefill*: longer stretches (prompts, and what is computed again after a pre-emption) share what ``Limits`` leave to
///   them. The oldest gets half, so that it is never starved; the rest goes to the shortest first, so that a short prompt need not
///   wait for a long one.
/// - *Admission* is first come, first served, and optimistic: a sequence is admitted when the tokens that it has now find room,
///   whatever it may generate.
/// - *Pre-emption*: when a decoding sequence needs a block and none is left, the youngest loses its blocks and waits to be computed again.
///   The oldest always goes on.
/// - A *paused* sequence keeps its blocks as long as nobody needs them and takes no part in steps.
package struct Scheduler: Sendable {
    package struct Limits: Sendable {
        /// Rows of a step at most.
        package var stepRows: Int
        /// Rows of a step whose logits are wanted at most.
        package var outputRows: Int
        /// Sequences of a step at most; not more than either.
        package var batchSize: Int
        /// Prompt rows of a step at most.
        package var prefillRows: Int
        /// Prompt rows of a step at most when more than one sequence waits for its result.
        package var sharedPrefillRows: Int
        /// Drafted rows of a step at most.
        package var draftRows = 0

        package init(stepRows: Int, outputRows: Int, batchSize: Int, prefillRows: Int, sharedPrefillRows: Int) {
            precondition(batchSize > 0 && prefillRows > 0 && sharedPrefillRows > 0)
            precondition(stepRows >= batchSize && outputRows >= batchSize)
            self.stepRows = stepRows
            self.outputRows = outputRows
            self.batchSize = batchSize
            self.prefillRows = prefillRows
            self.sharedPrefillRows = sharedPrefillRows
        }
    }

    /// One request's tokens and where they are in the cache.
    package struct Sequence: Sendable {
        /// Ascending by arrival.
        package let id: Int
        /// Of the prompt and generated.
        package fileprivate(set) var tokens: [TokenID]
        package let promptCount: Int
        /// Tokens whose keys and values are in the cache.
        package fileprivate(set) var computed = 0
        /// The first token whose logits are still wanted.
        package fileprivate(set) var outputsFrom: Int
        package fileprivate(set) var table: [Int32] = []
        package fileprivate(set) var isPaused = false
        /// Whether a step has run some of it.
        package fileprivate(set) var hasStarted = false
        /// Tokens that the next step may try behind the last one.
        package fileprivate(set) var draftCount = 0
        /// Blocks at the start of the table that are registered.
        fileprivate var registered = 0

        package var remaining: Int { tokens.count - computed }
    }

    package let limits: Limits
    /// Both ascending by id.
    package private(set) var running: [Sequence] = []
    package private(set) var waiting: [Sequence] = []
    package private(set) var pool: BlockPool
    /// Indices of prefilling sequences, kept for its memory.
    private var prefilling: [Int] = []

    package init(_ limits: Limits, blocks: Int) {
        self.limits = limits
        pool = BlockPool(count: blocks)
        running.reserveCapacity(limits.batchSize)
    }

    /// Positions that a single sequence can have.
    package var capacity: Int { pool.count * BlockPool.blockLength }

    /// Whether a step would have something to do.
    package var hasWork: Bool { !running.allSatisfy(\.isPaused) || !waiting.allSatisfy(\.isPaused) }
}

// MARK: Sequences come and go

extension Scheduler {
    /// Queues a sequence.
    ///
    /// - Parameters:
    ///   - id: Greater than that of every earlier arrival.
    ///   - tokens: The prompt; not empty.
    ///   - positions: Positions that it takes at most, not more than ``capacity``.
    ///   - wantsAllOutputs: Whether logits are wanted for all tokens of the prompt: such a sequence starts from no cached prefix.
    package mutating func submit(id: Int, tokens: [TokenID], positions: Int, wantsAllOutputs: Bool = false) {
        precondition(!tokens.isEmpty && positions >= tokens.count && positions <= capacity)
        var sequence = Sequence(
            id: id, tokens: tokens, promptCount: tokens.count, outputsFrom: wantsAllOutputs ? 0 : tokens.count - 1)
        // Room for what comes: a step that generates need not allocate.
        sequence.tokens.reserveCapacity(positions + 1)
        sequence.table.reserveCapacity(BlockPool.blocks(for: positions))
        Self.insert(sequence, into: &waiting)
    }

    /// Takes a sequence out, whatever it does. Its blocks are free at once, or stay as a prefix for others.
    package mutating func remove(_ id: Int) {
        if let index = index(of: id, in: running) {
            releaseBlocks(of: index)
            running.remove(at: index)
        } else if let index = index(of: id, in: waiting) {
            waiting.remove(at: index)
        }
    }

    package mutating func setPaused(_ isPaused: Bool, _ id: Int) {
        if let index = index(of: id, in: running) {
            running[index].isPaused = isPaused
        } else if let index = index(of: id, in: waiting) {
            waiting[index].isPaused = isPaused
        }
    }

    /// Offers tokens to try behind the last one of a running sequence.
    package mutating func setDrafts(_ count: Int, for id: Int) {
        if let index = index(of: id, in: running) { running[index].draftCount = count }
    }

    package func running(_ id: Int) -> Sequence? { index(of: id, in: running).map { running[$0] } }

    /// Takes the result of a sequence's part of a step.
    ///
    /// - Parameter tokens: What was generated: nothing while the prompt is incomplete, otherwise the drafts that were right and the token
    ///   behind them.
    package mutating func commit(_ work: StepPlan.Work, tokens: [TokenID]) {
        guard let index = index(of: work.id, in: running) else { return }
        precondition(tokens.count <= work.drafts + 1)
        running[index].tokens.append(contentsOf: tokens)
        // The last generated token has not been run itself.
        running[index].computed += work.count + max(0, tokens.count - 1)
        running[index].outputsFrom = max(running[index].outputsFrom, running[index].computed)
        running[index].draftCount = 0
        registerBlocks(of: index)
    }

    private func index(of id: Int, in list: [Sequence]) -> Int? {
        let index = Self.position(of: id, in: list)
        return index < list.count && list[index].id == id ? index : nil
    }

    /// Where a sequence with this id is or belongs.
    private static func position(of id: Int, in list: [Sequence]) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func insert(_ sequence: Sequence, into list: inout [Sequence]) {
        list.insert(sequence, at: position(of: sequence.id, in: list))
    }
}

// MARK: Blocks

extension Scheduler {
    private mutating func registerBlocks(of index: Int) {
        while running[index].registered < running[index].computed / BlockPool.blockLength {
            let block = running[index].registered
            running[index].table[block] = pool.register(
                running[index].table[block], after: prefix(of: running[index]),
                tokens: Self.content(block, running[index]))
            running[index].registered += 1
        }
    }

    /// The prefix that the registered blocks of a sequence make up.
    private func prefix(of sequence: Sequence) -> BlockPool.Prefix {
        guard sequence.registered > 0 else { return .empty }
        guard let prefix = pool.prefix(endingWith: sequence.table[sequence.registered - 1]) else {
            preconditionFailure("a block in use lost its registration")
        }
        return prefix
    }

    private static func content(_ block: Int, _ sequence: Sequence) -> ArraySlice<TokenID> {
        sequence.tokens[block * BlockPool.blockLength..<(block + 1) * BlockPool.blockLength]
    }

    /// The registered block that a sequence can go on with instead of computing it. At least one token, and every token whose logits
    /// are wanted, is left to compute.
    private func cachedBlock(for sequence: Sequence) -> Int32? {
        let block = sequence.registered
        let end = (block + 1) * BlockPool.blockLength
        guard sequence.computed == block * BlockPool.blockLength,
            end <= min(sequence.outputsFrom, sequence.tokens.count - 1)
        else { return nil }
        return pool.block(after: prefix(of: sequence), tokens: Self.content(block, sequence))
    }

    /// Replaces blocks still to be computed by equal ones that others have computed meanwhile.
    private mutating func adoptCachedBlocks(_ index: Int) {
        while let block = cachedBlock(for: running[index]) {
            pool.retain(block)
            let place = running[index].registered
            pool.release(running[index].table[place])
            running[index].table[place] = block
            running[index].registered += 1
            running[index].computed += BlockPool.blockLength
        }
    }

    private mutating func releaseBlocks(of index: Int) {
        while let block = running[index].table.popLast() { pool.release(block) }
        running[index].computed = 0
        running[index].registered = 0
        running[index].draftCount = 0
    }

    private mutating func preempt(_ index: Int) {
        releaseBlocks(of: index)
        Self.insert(running.remove(at: index), into: &waiting)
    }

    /// Whether the table of a sequence has room for `positions`, after allocating blocks as far as there are any.
    private mutating func grow(_ index: Int, to positions: Int) -> Bool {
        while running[index].table.count * BlockPool.blockLength < positions {
            guard let block = pool.allocate() else { return false }
            running[index].table.append(block)
        }
        return true
    }
}

// MARK: Planning

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
        let total = BlockPool.blocks(for: waiting[index].tokens.count)
        while let block = cachedBlock(for: waiting[index]) {
            pool.retain(block)
            waiting[index].table.append(block)
            waiting[index].registered += 1
            waiting[index].computed += BlockPool.blockLength
        }
        let needed = total - waiting[index].table.count + active
        while pool.available < needed, let paused = running.lastIndex(where: \.isPaused) {
            // `paused` goes back to the queue, behind or before this one.
            if running[paused].id < waiting[index].id {
                plan.preempted += 1
                preempt(paused)
                return start(index + 1, beside: active, &plan)
            }
            plan.preempted += 1
            preempt(paused)
        }
        guard pool.available >= needed else {
            while let block = waiting[index].table.popLast() { pool.release(block) }
            waiting[index].registered = 0
            waiting[index].computed = 0
            return false
        }
        let sequence = waiting.remove(at: index)
        let place = Self.position(of: sequence.id, in: running)
        running.insert(sequence, at: place)
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
        for index in others {
            let count = min(running[index].remaining, rest)
            rest -= take(index, count, &room, &plan)
        }
        room.outputs += 1
        budget = reserved + rest
        take(oldest, min(running[oldest].remaining, budget), &room, &plan)
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
        var left = limits.draftRows
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
