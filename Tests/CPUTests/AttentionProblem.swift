import CCPU
import Glibc
import Testing

/// Attention of one KV head over a paged cache: rows at the end of a context, `group` queries each.
struct AttentionProblem: Sendable, CustomTestStringConvertible {
    var format = CPU_KV_F16
    let keyLength: Int
    let valueLength: Int
    let group: Int
    let rows: Int
    let context: Int
    var window: Int?
    var softcap: Float = 0

    var queries: Int { rows * group }
    var stateFloats: Int { Int(cpu_attention_state_floats(Int32(valueLength))) }
    var scale: Float { 1 / Float(keyLength).squareRoot() }
    var testDescription: String {
        "\(keyLength)/\(valueLength) x \(group), \(rows) of \(context), window \(window ?? 0), format \(format.rawValue)"
    }

    static let instructionSets = [CPU_ISA_PORTABLE, CPU_ISA_AVX2, CPU_ISA_AVX512, CPU_ISA_AMX].filter(cpu_isa_supported)

    /// Positions that query `q` sees.
    func range(_ q: Int) -> Range<Int> {
        let position = context - rows + q / group
        return max(0, position + 1 - (window ?? context))..<position + 1
    }

    struct Data {
        var queries: [Float]
        var keys: [Float]
        var values: [Float]
    }

    /// Bytes at a multiple of 64.
    @safe final class Memory {
        let base: UnsafeMutablePointer<UInt8>

        init(_ count: Int, _ filling: UInt8) {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 64)
            unsafe base = memory.initializeMemory(as: UInt8.self, repeating: filling, count: count)
        }

        deinit { unsafe base.deallocate() }
    }

    /// Normally distributed numbers, those of the cache as half precision has them.
    func data(seed: UInt64 = 1) -> Data {
        var state = seed
        func uniform() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24)
        }
        // Twelve uniform numbers have a variance of one.
        func normal() -> Float { (0..<12).reduce(Float(-6)) { sum, _ in sum + uniform() } }
        return Data(
            queries: (0..<queries * keyLength).map { _ in normal() },
            keys: (0..<context * keyLength).map { _ in Float(Float16(normal())) },
            values: (0..<context * valueLength).map { _ in Float(Float16(normal())) })
    }

    /// The cache with all positions stored; elsewhere every byte is `filling`.
    func cache(_ data: Data, filling: UInt8) -> Memory {
        let memory = Memory((context + 31) / 32 * headBytes, filling)
        let ops = unsafe cpu_ops_for(CPU_ISA_PORTABLE)
        var layer = unsafe layer(memory.base)
        for t in 0..<context {
            unsafe data.keys.withUnsafeBufferPointer { keys in
                unsafe data.values.withUnsafeBufferPointer { values in
                    unsafe ops.pointee.kv_store(
                        &layer, memory.base + t / 32 * headBytes, Int32(t % 32), keys.baseAddress! + t * keyLength,
                        values.baseAddress! + t * valueLength)
                }
            }
        }
        return memory
    }

    /// States of the queries `which`, computed together, as `[query][stateFloats]`.
    func states(_ isa: cpu_isa, _ data: Data, _ cache: Memory, _ which: [Int]) -> [Float] {
        let ops = unsafe cpu_ops_for(isa)
        let splits = (context + Int(CPU_ATTENTION_SPLIT) - 1) / Int(CPU_ATTENTION_SPLIT)
        let scratch = Memory(Int(cpu_attention_scratch_bytes(Int32(keyLength), Int32(valueLength))), 0xff)
        // Heads of other lengths leave room behind a state.
        let stride = stateFloats + 16
        var states = [Float](repeating: .nan, count: which.count * stride)
        var parts = states
        let blocks = (0..<(context + 31) / 32).map { Int32($0) }
        var layer = unsafe layer(cache.base)
        for split in 0..<splits {
            unsafe states.withUnsafeMutableBufferPointer { states in
                unsafe parts.withUnsafeMutableBufferPointer { parts in
                    let target = unsafe (split == 0 ? states : parts).baseAddress!
                    unsafe data.queries.withUnsafeBufferPointer { queries in
                        let list = unsafe which.enumerated().map { index, q in
                            unsafe cpu_attention_query(
                                query: queries.baseAddress! + q * keyLength, begin: Int32(range(q).lowerBound),
                                end: Int32(range(q).upperBound), state: target + index * stride)
                        }
                        let length = Int(CPU_ATTENTION_SPLIT)
                        unsafe ops.pointee.attend(
                            &layer, 0, blocks, Int32(split * length), Int32((split + 1) * length), list,
                            Int32(which.count), scale, softcap, scratch.base)
                    }
                    for index in which.indices where split > 0 {
                        unsafe ops.pointee.attention_merge(
                            states.baseAddress! + index * stride, parts.baseAddress! + index * stride,
                            Int32(valueLength))
                    }
                }
            }
        }
        return which.indices.flatMap { states[$0 * stride..<$0 * stride + stateFloats] }
    }

    /// The largest difference to sums in binary64, relative to the sum of magnitudes.
    func error(_ states: [Float], _ data: Data) -> Double {
        var largest = 0.0
        for q in 0..<queries {
            let scores = range(q).map { t in
                let sum = (0..<keyLength).reduce(0.0) {
                    $0 + Double(data.queries[q * keyLength + $1]) * Double(data.keys[t * keyLength + $1])
                }
                let score = sum * Double(scale), cap = Double(softcap)
                return cap == 0 ? score : cap * tanh(score / cap)
            }
            let top = scores.max() ?? 0
            let weights = scores.map { exp($0 - top) }
            for d in 0..<valueLength {
                var (exact, magnitudes) = (0.0, 0.0)
                for (weight, t) in zip(weights, range(q)) {
                    let value = Double(data.values[t * valueLength + d])
                    exact += weight * value
                    magnitudes += weight * abs(value)
                }
                let total = weights.reduce(0, +), state = states[q * stateFloats..<(q + 1) * stateFloats]
                let result = Double(state[state.startIndex + 16 + d]) / Double(state[state.startIndex + 1])
                // Not a number is a difference, too.
                largest = max(largest, result.isNaN ? .infinity : abs(result - exact / total) / (magnitudes / total))
            }
        }
        return largest
    }

    private var headBytes: Int { Int(cpu_kv_head_bytes(format, Int32(keyLength), Int32(valueLength))) }

    private func layer(_ base: UnsafeMutablePointer<UInt8>) -> cpu_kv_layer {
        unsafe cpu_kv_layer(
            format: format, pool: base, block_stride: Int64(headBytes), head_stride: Int64(headBytes),
            value_offset: cpu_kv_key_bytes(format, Int32(keyLength)), key_length: Int32(keyLength),
            value_length: Int32(valueLength))
    }
}
