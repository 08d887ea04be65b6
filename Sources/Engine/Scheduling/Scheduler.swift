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
/// - *Prefix sharing*: what a sequence would compute is taken from registered blocks instead, or, where another computes it in this step,
///   waited for.
/// - *Admission* is first come, first served, and optimistic: a sequence is admitted when the tokens that it has now find room,
///   whatever it may generate.
/// - *Pre-emption*: when a decoding sequence needs a block and none is left, the youngest loses its blocks and waits to be computed again.
///   The oldest always goes on.
/// - *Windows*: of windowed layers, a sequence keeps the blocks in reach of its next row. Cached blocks count only with the window blocks
///   that the row behind them reaches.
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
        /// Rows of a step with drafts at most: they only fill up what the others leave of these. 0 turns them off.
        package var draftedStepRows = 0

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
        package internal(set) var tokens: [TokenID]
        package let promptCount: Int
        /// Tokens whose keys and values are in the cache.
        package internal(set) var computed = 0
        /// The first token whose logits are still wanted.
        package internal(set) var outputsFrom: Int
        package internal(set) var table: [Int32] = []
        /// Places of the table whose window blocks the sequence uses; none where there are no windowed layers.
        package internal(set) var window = 0..<0
        package internal(set) var isPaused = false
        /// Whether a step has run some of it.
        package internal(set) var hasStarted = false
        /// Tokens that the next step may try behind the last one.
        package internal(set) var draftCount = 0
        /// Blocks at the start of the table that are registered.
        var registered = 0
        /// Registered blocks from which on it may look for cached ones past missing window blocks again.
        var nextFarSearch = 0

        package var remaining: Int { tokens.count - computed }
    }

    package let limits: Limits
    /// Both ascending by id.
    package internal(set) var running: [Sequence] = []
    package internal(set) var waiting: [Sequence] = []
    package internal(set) var pool: BlockPool
    /// `nil` where no layer is windowed.
    package let windows: Windows?
    /// Indices of prefilling sequences, kept for its memory.
    var prefilling: [Int] = []

    package init(_ limits: Limits, blocks: Int, windows: Windows? = nil) {
        self.limits = limits
        self.windows = windows
        pool = BlockPool(count: blocks, windowCount: windows?.blocks ?? 0)
        running.reserveCapacity(limits.batchSize)
    }

    /// Positions that a single sequence can have.
    package var capacity: Int { pool.count * BlockPool.blockLength }

    /// Whether a step would have something to do.
    package var hasWork: Bool { !running.allSatisfy(\.isPaused) || !waiting.allSatisfy(\.isPaused) }
}

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
        slideWindow(of: index)
    }

    func index(of id: Int, in list: [Sequence]) -> Int? {
        let index = Self.position(of: id, in: list)
        return index < list.count && list[index].id == id ? index : nil
    }

    /// Where a sequence with this id is or belongs.
    static func position(of id: Int, in list: [Sequence]) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    static func insert(_ sequence: Sequence, into list: inout [Sequence]) {
        list.insert(sequence, at: position(of: sequence.id, in: list))
    }
}
