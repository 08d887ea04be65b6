import CCPU
import Glibc
import Testing

struct AttentionTests {
    /// Heads as models have them, and some that fill neither a vector nor a tile; contexts around blocks and splits.
    static let problems: [AttentionProblem] = [
        .init(keyLength: 64, valueLength: 64, group: 8, rows: 5, context: 5),
        .init(keyLength: 64, valueLength: 64, group: 8, rows: 16, context: 560),
        .init(keyLength: 128, valueLength: 128, group: 2, rows: 33, context: 1057),
        .init(keyLength: 80, valueLength: 80, group: 1, rows: 40, context: 97),
        .init(keyLength: 96, valueLength: 96, group: 3, rows: 6, context: 512, softcap: 30),
        .init(keyLength: 72, valueLength: 40, group: 5, rows: 7, context: 101, window: 33),
        .init(keyLength: 20, valueLength: 200, group: 1, rows: 3, context: 70),
        .init(keyLength: 256, valueLength: 256, group: 4, rows: 30, context: 700, window: 512),
        .init(keyLength: 576, valueLength: 512, group: 16, rows: 5, context: 530),
    ]
    static let quantized: [AttentionProblem] = problems.map {
        var problem = $0
        problem.format = CPU_KV_Q8_0
        return problem
    }

    @Test(arguments: problems)
    func `Attention is that of sums in binary64`(problem: AttentionProblem) {
        let data = problem.data()
        let pool = problem.cache(data, filling: 0)
        for isa in AttentionProblem.instructionSets {
            var states: [Float] = []
            let step = unsafe Int(cpu_ops_for(isa).pointee.attention_queries)
            for first in stride(from: 0, to: problem.queries, by: step) {
                states += problem.states(isa, data, pool, Array(first..<min(first + step, problem.queries)))
            }
            // On tiles, weights have 16 bits.
            let error = problem.error(states, data), bound = isa == CPU_ISA_AMX ? 0x1p-16 : 0x1p-18
            #expect(error < bound, "\(isa): \(error)")
        }
    }

    @Test(arguments: problems + quantized)
    func `A query's bits do not depend on its company`(problem: AttentionProblem) {
        let data = problem.data()
        let pool = problem.cache(data, filling: 0x3c)
        for isa in AttentionProblem.instructionSets {
            let step = min(unsafe Int(cpu_ops_for(isa).pointee.attention_queries), problem.queries)
            let together = problem.states(isa, data, pool, Array(0..<step))
            let floats = problem.stateFloats
            func same(_ states: [Float], _ q: Int, at index: Int) -> Bool {
                states[index * floats..<(index + 1) * floats].indices.allSatisfy { i in
                    let i = i - index * floats
                    // Between sum and values nothing is written, and columns that pad a value may be anything.
                    guard i < 2 || 16..<16 + problem.valueLength ~= i else { return true }
                    return states[index * floats + i].bitPattern == together[q * floats + i].bitPattern
                }
            }
            for q in stride(from: 0, to: step, by: 5) {
                #expect(same(problem.states(isa, data, pool, [q]), q, at: 0), "\(isa): query \(q) alone")
            }
            for width in [3, 16, 17, 33, 47] where width < step {
                let some = Array(step - width..<step)
                let states = problem.states(isa, data, pool, some)
                #expect(some.indices.allSatisfy { same(states, some[$0], at: $0) }, "\(isa): the last \(width)")
            }
        }
    }

    /// Zero times infinity is no number: what a row does not see must not be multiplied away.
    @Test(arguments: problems)
    func `What a query does not see leaves no trace`(problem: AttentionProblem) {
        var data = problem.data()
        let clean = problem.cache(data, filling: 0)
        // The last position is that of the last row alone.
        for d in 0..<problem.keyLength { data.keys[(problem.context - 1) * problem.keyLength + d] = .nan }
        for d in 0..<problem.valueLength {
            data.values[(problem.context - 1) * problem.valueLength + d] = d.isMultiple(of: 2) ? .infinity : .nan
        }
        let dirty = problem.cache(data, filling: 0xff)
        for isa in AttentionProblem.instructionSets {
            let step = min(unsafe Int(cpu_ops_for(isa).pointee.attention_queries), problem.queries)
            let which = Array(problem.queries - step..<problem.queries)
            let expected = problem.states(isa, data, clean, which), found = problem.states(isa, data, dirty, which)
            for index in which.indices {
                let range = index * problem.stateFloats + 16..<index * problem.stateFloats + 16 + problem.valueLength
                let seesLast = problem.range(which[index]).upperBound == problem.context
                let isRight = range.allSatisfy {
                    seesLast ? found[$0].isNaN : found[$0].bitPattern == expected[$0].bitPattern
                }
                #expect(isRight, "\(isa): query \(which[index])")
            }
        }
    }
}
