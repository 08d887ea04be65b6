import Engine
import Testing
import Tokenizer

/// A scheduler that drives a pretended device. Its cache remembers what each position was computed from, so a block that is shared,
/// reused or left stale by mistake is noticed by the next row that reads it.
struct SchedulerSimulation {
    struct Request {
        let prompt: [TokenID]
        let length: Int
        var tokens: [TokenID]
        var drafts: [TokenID] = []
        var isPaused = false
    }

    private(set) var scheduler: Scheduler
    /// Those that have not ended.
    private(set) var requests: [Int: Request] = [:]
    /// Tokens of those that have ended by themselves.
    private(set) var finished: [Int: [TokenID]] = [:]
    /// Rows computed, without drafts.
    private(set) var rows = 0
    private(set) var preemptions = 0
    private(set) var acceptedDrafts = 0
    private(set) var sharedBlocks = 0
    private var plan = StepPlan()
    /// For each block and slot, the hash of the tokens up to there.
    private var cache: [[Int]]
    /// The same of window blocks.
    private var windowCache: [[Int]]
    private var lastID = 0
    private var random: SplitMix
    /// Wrong in one of so many drafts.
    private let draftErrors: UInt64 = 3

    /// - Parameter reach: Of windowed layers; `nil` for none. There are as few window blocks as the plan allows.
    init(_ limits: Scheduler.Limits, blocks: Int, reach: Int? = nil, seed: UInt64 = 1) {
        let windows = reach.map { reach in
            let most = Scheduler.Windows.blocks(reach: reach, sequences: limits.batchSize, rows: limits.stepRows)
            return Scheduler.Windows(reach: reach, blocks: min(blocks, most))
        }
        scheduler = Scheduler(limits, blocks: blocks, windows: windows)
        let empty = Array(repeating: 0, count: BlockPool.blockLength)
        cache = Array(repeating: empty, count: blocks)
        windowCache = Array(repeating: empty, count: windows?.blocks ?? 0)
        random = SplitMix(seed)
    }

    @discardableResult
    mutating func submit(_ prompt: [TokenID], length: Int, wantsAllOutputs: Bool = false) -> Int {
        lastID += 1
        requests[lastID] = Request(prompt: prompt, length: length, tokens: prompt)
        scheduler.submit(
            id: lastID, tokens: prompt, positions: prompt.count + length, wantsAllOutputs: wantsAllOutputs)
        return lastID
    }

    mutating func cancel(_ id: Int) {
        requests[id] = nil
        scheduler.remove(id)
    }

    mutating func setPaused(_ isPaused: Bool, _ id: Int) {
        requests[id]?.isPaused = isPaused
        scheduler.setPaused(isPaused, id)
    }

    /// Whether some request waits for a step.
    var hasWork: Bool { requests.values.contains { !$0.isPaused } }

    /// Runs a step and checks all that must hold. Returns the problem, if there is one.
    mutating func step() -> String? {
        let oldest = scheduler.running.first { !$0.isPaused }?.id
        scheduler.plan(into: &plan)
        preemptions += plan.preempted
        if let problem = checkPlan() ?? checkBlocks() { return problem }
        guard scheduler.hasWork == hasWork else { return "hasWork is \(scheduler.hasWork)" }
        guard hasWork == !plan.work.isEmpty else { return "\(plan.work.count) parts in a step" }
        if let oldest, scheduler.running(oldest) == nil {
            return "request \(oldest), the oldest that ran, was pre-empted"
        }
        if let first = scheduler.running.first(where: { !$0.isPaused })?.id,
            !plan.work.contains(where: { $0.id == first })
        {
            return "request \(first), the oldest, got nothing"
        }
        for work in plan.work {
            if let problem = run(work) { return problem }
        }
        return checkBlocks()
    }

    /// Computes the rows of one sequence as a device would, and takes the outcome.
    private mutating func run(_ work: StepPlan.Work) -> String? {
        guard let sequence = scheduler.running(work.id), var request = requests[work.id] else {
            return "request \(work.id) does not run"
        }
        guard sequence.tokens == request.tokens else { return "request \(work.id) has other tokens" }
        let tokens = request.tokens[..<(work.first + work.count)] + request.drafts.prefix(work.drafts)
        guard tokens.count == work.first + work.rows, sequence.computed == work.first else {
            return "request \(work.id): rows from \(work.first), computed \(sequence.computed)"
        }
        guard sequence.table.count * BlockPool.blockLength >= tokens.count else { return "no block for a row" }
        if let problem = runWindows(work, tokens, sequence) { return problem }
        var hash = 0
        for (place, token) in tokens.enumerated() {
            hash = Self.extend(hash, token)
            let block = Int(sequence.table[place / BlockPool.blockLength])
            if place >= work.first {
                if scheduler.pool.references(to: Int32(block)) > 1 { return "row written to the shared block \(block)" }
                cache[block][place % BlockPool.blockLength] = hash
            } else if cache[block][place % BlockPool.blockLength] != hash {
                return "request \(work.id) reads block \(block) of others at \(place)"
            }
        }
        rows += work.count

        let wantsToken = work.first + work.count == request.tokens.count
        let silent = max(0, sequence.outputsFrom - work.first)
        guard work.outputs == max(0, work.count - silent) + work.drafts else { return "\(work.outputs) outputs" }
        var chosen: [TokenID] = []
        if wantsToken {
            for index in 0...work.drafts {
                let token = Self.next(request.tokens)
                request.tokens.append(token)
                chosen.append(token)
                if index < work.drafts, request.drafts[index] == token { acceptedDrafts += 1 } else { break }
                if request.tokens.count >= request.prompt.count + request.length { break }
            }
        }
        scheduler.commit(work, tokens: chosen)
        request.drafts = wantsToken && scheduler.limits.draftedStepRows > 0 ? drafts(after: request) : request.drafts
        if wantsToken { scheduler.setDrafts(request.drafts.count, for: work.id) }
        requests[work.id] = request
        if request.tokens.count >= request.prompt.count + request.length {
            finished[work.id] = request.tokens
            requests[work.id] = nil
            scheduler.remove(work.id)
        }
        return nil
    }

    /// The same for windowed layers: rows read what they reach and write what they are.
    private mutating func runWindows(
        _ work: StepPlan.Work, _ tokens: ArraySlice<TokenID>, _ sequence: Scheduler.Sequence
    ) -> String? {
        guard let windows = scheduler.windows else { return nil }
        var table: [Int32] = []
        scheduler.appendWindowTable(of: sequence, BlockPool.blocks(for: tokens.count), to: &table)
        var hash = 0
        for (place, token) in tokens.enumerated() {
            hash = Self.extend(hash, token)
            guard place > work.first - windows.reach else { continue }
            let (index, slot) = (place / BlockPool.blockLength, place % BlockPool.blockLength)
            guard sequence.window.contains(index) else { return "request \(work.id) has no window at \(place)" }
            if place >= work.first {
                if scheduler.pool.windowReferences(of: sequence.table[index]) > 1 { return "row in a shared window" }
                windowCache[Int(table[index])][slot] = hash
            } else if windowCache[Int(table[index])][slot] != hash {
                return "request \(work.id) reads the window block \(table[index]) of others at \(place)"
            }
        }
        return nil
    }

    private mutating func drafts(after request: Request) -> [TokenID] {
        var tokens = request.tokens
        let room = request.prompt.count + request.length - tokens.count - 1
        for _ in 0..<min(max(0, room), 3) {
            let isWrong = random.next() % draftErrors == 0
            tokens.append(isWrong ? Self.next(tokens) ^ 1 : Self.next(tokens))
        }
        return Array(tokens[request.tokens.count...])
    }

    private func checkPlan() -> String? {
        let limits = scheduler.limits
        let parts = plan.work
        func sum(_ value: (StepPlan.Work) -> Int) -> Int { parts.reduce(0) { $0 + value($1) } }
        if sum(\.rows) > limits.stepRows { return "\(sum(\.rows)) rows" }
        if sum(\.outputs) > limits.outputRows { return "\(sum(\.outputs)) outputs" }
        if sum(\.drafts) > 0, sum(\.rows) > limits.draftedStepRows { return "\(sum(\.rows)) rows with drafts" }
        if parts.count > limits.batchSize { return "\(parts.count) sequences" }
        if Set(parts.map(\.id)).count != parts.count { return "a sequence twice" }
        let prefill = parts.filter { part in part.count > 1 || part.isFirst }.reduce(0) { $0 + $1.count }
        let shared = parts.count > 1 ? limits.sharedPrefillRows : limits.stepRows
        if prefill > min(limits.prefillRows, shared) { return "\(prefill) prompt rows beside \(parts.count)" }
        if parts.contains(where: { requests[$0.id]?.isPaused ?? true }) { return "a paused or unknown sequence runs" }
        return nil
    }

    /// Blocks are counted as often as they are used; what is used twice holds the same tokens.
    private mutating func checkBlocks() -> String? {
        var users: [Int32: [Scheduler.Sequence]] = [:]
        for sequence in scheduler.running {
            if Set(sequence.table).count != sequence.table.count { return "a block twice in a table" }
            if sequence.computed > sequence.tokens.count { return "more computed than there is" }
            for block in sequence.table { users[block, default: []].append(sequence) }
        }
        for sequence in scheduler.waiting where !sequence.table.isEmpty || sequence.computed != 0 {
            return "a waiting sequence has blocks"
        }
        for block in 0..<Int32(scheduler.pool.count) {
            let sequences = users[block] ?? []
            guard scheduler.pool.references(to: block) == sequences.count else {
                return "block \(block) has \(scheduler.pool.references(to: block)) references, \(sequences.count) users"
            }
            guard sequences.count > 1, let first = sequences.first, let index = first.table.firstIndex(of: block)
            else { continue }
            sharedBlocks += 1
            let end = (index + 1) * BlockPool.blockLength
            for other in sequences {
                guard other.table.count > index, other.table[index] == block, other.computed >= end,
                    other.tokens[..<end] == first.tokens[..<end]
                else { return "block \(block) is shared by mistake" }
            }
        }
        if let problem = checkWindows(users) { return problem }
        if scheduler.pool.inUse != users.count { return "\(scheduler.pool.inUse) blocks in use, \(users.count) used" }
        return nil
    }

    /// Window blocks are counted as often as they are used, and belong to one block each.
    private func checkWindows(_ users: [Int32: [Scheduler.Sequence]]) -> String? {
        guard let windows = scheduler.windows else { return nil }
        var used: Set<Int32> = []
        for (block, sequences) in users {
            let count = sequences.count { sequence in
                sequence.table.firstIndex(of: block).map(sequence.window.contains) ?? false
            }
            let references = scheduler.pool.windowReferences(of: block)
            guard references == count else {
                return "the window of block \(block) has \(references) references, \(count) users"
            }
            guard count > 0, let window = scheduler.pool.window(of: block) else { continue }
            guard used.insert(window).inserted else { return "window block \(window) belongs to two" }
        }
        for sequence in scheduler.running where sequence.window.upperBound < BlockPool.blocks(for: sequence.computed) {
            return "a window ends at \(sequence.window.upperBound)"
        }
        if used.count != scheduler.pool.windowsInUse { return "\(scheduler.pool.windowsInUse) window blocks in use" }
        return used.count <= windows.blocks ? nil : "more window blocks than planned"
    }

    /// The token that follows: a function of all tokens, of few values, so that prefixes meet again.
    private static func next(_ tokens: [TokenID]) -> TokenID {
        TokenID(truncatingIfNeeded: tokens.reduce(0, extend) >> 7 & 3)
    }

    private static func extend(_ hash: Int, _ token: TokenID) -> Int {
        (hash ^ Int(token) &+ 1) &* 0x5851_F42D_4C95_7F2D &+ 0x1405
    }

    /// What a request must have got.
    static func expected(_ prompt: [TokenID], length: Int) -> [TokenID] {
        var tokens = prompt
        for _ in 0..<length { tokens.append(next(tokens)) }
        return tokens
    }
}
