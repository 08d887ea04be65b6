internal import CCPU
internal import Compute

/// Attention states of one layer's splits, and the rule for when workers share a query's positions. All layers use the same memory in
/// turn.
@safe
final class SplitStates {
    /// Positions per split; a multiple of the cache's block length.
    static let length = Int(CPU_ATTENTION_SPLIT)
    /// Queries of one task, at most, and of one that only fills the kernel's registers.
    static let queries = unsafe Int(cpu_ops_for(InstructionSet.best.isa).pointee.attention_queries)
    static let narrowQueries = unsafe Int(cpu_ops_for(InstructionSet.best.isa).pointee.attention_tile)

    let stateFloats: Int
    private let heads: Int
    private let maxSplits: Int
    private let memory: PageMemory

    init(_ program: Program, workers: Int, limits: StepLimits, positions: Int) throws(BackendError) {
        let attentions = program.ops.compactMap { if case .attention(let op) = $0 { op } else { nil } }
        stateFloats = Self.stateFloats(program.cache)
        heads = attentions.map(\.heads).max() ?? 0
        maxSplits = (positions + Self.length - 1) / Self.length
        let rows = min(limits.rows, Self.taskTarget * workers)
        memory = try PageMemory(byteCount: rows * heads * maxSplits * stateFloats * 4, rowByRow: true)
    }

    /// Fewer tasks than this per worker leave some idle.
    static let taskTarget = 4

    /// Splits that workers take apart in this step: one where there are tasks enough without.
    func parallelCount(_ state: StepState, kvHeads: Int) -> Int {
        guard state.workers > 1, state.rows * kvHeads < Self.taskTarget * state.workers else { return 1 }
        var longest = 0
        for sequence in state.sequences { longest = max(longest, sequence.firstPosition + sequence.rowCount) }
        return (longest + Self.length - 1) / Self.length
    }

    private static func stateFloats(_ cache: CacheLayout) -> Int {
        Int(cpu_attention_state_floats(Int32(cache.layers.map(\.valueLength).max() ?? 0)))
    }

    /// Bytes of scratch memory that a worker's tasks use: the states of a tile twice, its queries, and what the kernel needs.
    static func scratchBytes(_ cache: CacheLayout) -> Int {
        let keys = cache.layers.map(\.keyLength).max() ?? 0
        let values = cache.layers.map(\.valueLength).max() ?? 0
        return unsafe queryOffset(stateFloats(cache)) + queries * MemoryLayout<cpu_attention_query>.stride
            + Int(cpu_attention_scratch_bytes(Int32(keys), Int32(values)))
    }

    private static func queryOffset(_ stateFloats: Int) -> Int { 2 * queries * stateFloats * 4 }

    /// States, states to merge into them, queries and the kernel's memory of one worker.
    func scratch(
        _ base: UnsafeMutableRawPointer
    ) -> (
        states: UnsafeMutablePointer<Float>, parts: UnsafeMutablePointer<Float>,
        queries: UnsafeMutablePointer<cpu_attention_query>, kernel: UnsafeMutableRawPointer
    ) {
        let states = unsafe base.assumingMemoryBound(to: Float.self)
        let queries = unsafe base + Self.queryOffset(stateFloats)
        return unsafe (
            states, states + Self.queries * stateFloats, queries.assumingMemoryBound(to: cpu_attention_query.self),
            queries + Self.queries * MemoryLayout<cpu_attention_query>.stride
        )
    }

    func state(row: Int, head: Int, split: Int) -> UnsafeMutablePointer<Float> {
        let index = (row * heads + head) * maxSplits + split
        return unsafe memory.base.assumingMemoryBound(to: Float.self) + index * stateFloats
    }

    func finish(
        _ total: UnsafePointer<Float>, _ op: Op.Attention, _ shape: CacheLayout.Layer, _ state: StepState, row: Int,
        head: Int
    ) {
        let sink = unsafe state.vector(op.sinks).map { unsafe $0[head] } ?? -.infinity
        unsafe state.ops.pointee.attention_finish(
            total, sink, state.row(op.output, row) + head * shape.valueLength, Int32(shape.valueLength))
    }
}
