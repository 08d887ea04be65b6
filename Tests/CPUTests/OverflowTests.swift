import CCPU
import Testing

@Suite struct OverflowTests {
    /// Finite values whose squares are not: a factor of zero would make plausible zeros of them, and the first token the answer.
    @Test(arguments: [1, 15, 16, 300])
    func `a norm of values too large to square is no number`(count: Int) throws {
        for isa in [CPU_ISA_PORTABLE, CPU_ISA_AVX2, CPU_ISA_AVX512] where cpu_isa_supported(isa) {
            let ops = unsafe cpu_ops_for(isa)
            for (value, isUsable) in [(Float(1e17), true), (1e30, false), (.greatestFiniteMagnitude, false)] {
                let x = (0..<count).map { $0.isMultiple(of: 2) ? value : -value / 2 }
                var rms = [Float](repeating: 0, count: count)
                unsafe ops.pointee.rms_norm(x, nil, 1e-5, &rms, Int64(count))
                #expect(rms.allSatisfy { isUsable ? $0.isFinite && $0 != 0 : $0.isNaN }, "\(value)")
                var layer = rms
                unsafe ops.pointee.layer_norm(x, nil, nil, 1e-5, &layer, Int64(count))
                #expect(layer.allSatisfy { isUsable || count == 1 ? $0.isFinite : $0.isNaN }, "\(value)")
            }
        }
    }
}
