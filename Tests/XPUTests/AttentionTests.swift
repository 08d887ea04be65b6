import Compute
import Quant
import TestSupport
import Testing
import XPU

@Suite(.serialized) struct AttentionTests {
    /// One token's values are infinite: rows of its tile that do not see it, before it or out of its window, must not notice.
    @Test(arguments: [Format.f16, .f32], [nil, 8])
    func `an infinite value is felt by those who see it alone`(kv: Format, window: Int?) throws {
        guard let backend = TestDevice.backend else { return }
        let (tokens, marked, length, heads) = (40, 20, 32, 4)
        let tensors = RandomTensors()
        var generator = SplitMix64(state: 9)
        // Only values read the first column.
        func matrix(_ rows: Int, first: Float?) -> [Float] {
            (0..<rows * length).map { $0 % length == 0 ? first ?? 0 : generator.normal() / 4 }
        }
        var x = matrix(tokens + 1, first: 1)
        x[tokens * length] = .greatestFiniteMagnitude
        tensors.add("x.weight", .f32, [length, tokens + 1], bytes(x))
        tensors.add("q.weight", .f32, [length, heads * length], bytes(matrix(heads * length, first: nil)))
        tensors.add("k.weight", .f32, [length, length], bytes(matrix(length, first: nil)))
        tensors.add("v.weight", .f32, [length, length], bytes(matrix(length, first: 4)))
        var g = ProgramBuilder(tensors)
        let input = g.embed("x", vocabulary: tokens + 1, width: length)
        let query = g.linear(input, "q", outputs: heads * length)
        g.store(
            key: g.linear(input, "k", outputs: length), value: g.linear(input, "v", outputs: length), layer: 0)
        let y = g.attention(query, layer: 0, heads: heads, valueLength: length, scale: 0.2)
        let layer = CacheLayout.Layer(kvHeads: 1, keyLength: length, valueLength: length, window: window)
        let program = try g.finish(logits: g.outputRows(y), cache: CacheLayout(layers: [layer]))
        let plain = (0..<tokens).map { Int32($0) }
        var infinite = plain
        infinite[marked] = Int32(tokens)
        let expected = try backend.run(program, tensors, tokens: plain, kv: kv)
        let found = try backend.run(program, tensors, tokens: infinite, kv: kv)
        for row in 0..<tokens {
            let sees = row >= marked && row - marked < window ?? tokens
            if sees {
                #expect(found[row].allSatisfy { !$0.isFinite }, "row \(row)")
            } else {
                #expect(found[row].map(\.bitPattern) == expected[row].map(\.bitPattern), "row \(row)")
            }
        }
    }

    private func bytes(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }
}
