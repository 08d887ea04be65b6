import CCPU
import CPU
import Quant

/// A matrix of random valid blocks, random inputs, and their product as the contract defines it.
struct Problem {
    /// Floats from one output row to the next, and what fills the gaps.
    static let stride = 128
    static let untouched: Float = -12345

    let format: Format
    let rows: Int
    let columns: Int
    let blocks: [UInt8]
    var inputs: [Float]
    private let count: Int
    /// By what inputs are prepared as: the arithmetic.
    private var products: [Activations.Kind: [Float]] = [:]

    /// - Parameter extreme: Whether all inputs have the largest code, positive and negative in turn from row to row.
    init(format: Format, rows: Int, columns: Int, inputs count: Int, extreme: Bool = false, seed: UInt64 = 1) {
        var random = SplitMix(state: seed &* 7919 &+ UInt64(format.id))
        self.format = format
        self.rows = rows
        self.columns = columns
        let blocks = (0..<rows * columns / format.blockLength).flatMap { _ in Self.randomBlock(format, &random) }
        var inputs = (0..<count * columns).map { _ in Float(Int(random.next() % 20001) - 10000) / 3000 }
        // A block of zeros and one of numbers too small to have a scale.
        for i in 0..<min(32, columns) { inputs[i] = i % 2 == 0 ? 0 : 1e-33 }
        if extreme { inputs = inputs.indices.map { $0 / columns % 2 == 0 ? 3 : -3 } }
        self.blocks = blocks
        self.inputs = inputs
        self.count = count
        computeExpected()
    }

    /// The products of `inputs` as the contract defines them; to be called again after a change.
    mutating func computeExpected() {
        for (kind, isa) in [(Activations.Kind.float, CPU_ISA_PORTABLE), (.split, CPU_ISA_AMX)] {
            var result = [Float](repeating: 0, count: count * rows)
            unsafe blocks.withUnsafeBytes {
                unsafe cpu_matmul_reference(
                    isa, cpu_matrix_format_for(format.id)!, $0.baseAddress!, Int64(rows), Int64(columns), inputs,
                    Int64(count), Int64(columns), &result, Int64(rows))
            }
            products[kind] = result
        }
    }

    /// `[inputs][rows]` on an instruction set.
    func expected(_ instructionSet: InstructionSet) -> [Float] {
        products[[Format.f16, .bf16].contains(format) && instructionSet == .amx ? .split : .float]!
    }

    /// Random bytes whose weights are finite and of a size that cannot overflow a sum.
    private static func randomBlock(_ format: Format, _ random: inout SplitMix) -> [UInt8] {
        var values = [Float](repeating: 0, count: format.blockLength)
        while true {
            let block = (0..<format.blockBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            unsafe block.withUnsafeBytes { unsafe format.decodeBlock($0.baseAddress!, &values) }
            if values.allSatisfy({ abs($0) < 1e6 }) { return block }
        }
    }

    func matrix(repacked: Bool, _ instructionSet: InstructionSet) -> PackedMatrix {
        if repacked {
            let matrix = PackedMatrix(format: format, rows: rows, columns: columns)!
            unsafe blocks.withUnsafeBytes {
                for group in 0..<matrix.rowGroups {
                    unsafe matrix.pack(
                        rowGroups: group..<group + 1, from: $0.baseAddress!, instructionSet: instructionSet)
                }
            }
            return matrix
        }
        // One byte off: mapped tensors need not be aligned for vectors.
        let copy = Copy(blocks)
        return unsafe PackedMatrix(borrowing: copy.base, owner: copy, format: format, rows: rows, columns: columns)!
    }

    func product(
        _ matrix: PackedMatrix, inputs count: Int, _ instructionSet: InstructionSet, expert: Int = 0,
        rowSplits: [Int]? = nil,
        groupSplits: [Int]? = nil, bias: [Float]? = nil, residual: [Float]? = nil, residualStride: Int = 0,
        indices: [Int32]? = nil
    ) throws -> [Float] {
        var activations = try Activations(rows: count, columns: columns)
        activations.reshape(matrix.activationKind(instructionSet), rows: count, columns: columns)
        unsafe activations.fill(
            rows: 0..<count, from: inputs, stride: columns, indices: indices, instructionSet: instructionSet)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: PackedMatrix.scratchBytes, alignment: 64)
        defer { unsafe scratch.deallocate() }
        var output = [Float](repeating: Self.untouched, count: count * Self.stride + 16)
        let rowSplits = rowSplits ?? [0, count]
        let groupSplits = groupSplits ?? [0, matrix.rowGroups]
        for (m0, m1) in zip(rowSplits, rowSplits.dropFirst()) {
            for (g0, g1) in zip(groupSplits, groupSplits.dropFirst()) {
                unsafe bias.withPointer { bias in
                    unsafe residual.withPointer { residual in
                        unsafe matrix.multiply(
                            activations, rows: m0..<m1, expert: expert, rowGroups: g0..<g1, into: &output,
                            stride: Self.stride, bias: bias, residual: residual, residualStride: residualStride,
                            scratch: scratch, instructionSet: instructionSet)
                    }
                }
            }
        }
        return output
    }

    /// Whether results have the expected bits and nothing else was written.
    func matches(_ output: [Float], inputs count: Int, _ instructionSet: InstructionSet) -> Bool {
        let expected = expected(instructionSet)
        for m in 0..<count {
            for n in 0..<Self.stride {
                let want = n < rows ? expected[m * rows + n] : Self.untouched
                if n < rows || rows <= Self.stride, output[m * Self.stride + n].bitPattern != want.bitPattern {
                    return false
                }
            }
        }
        return output.suffix(16).allSatisfy { $0 == Self.untouched }
    }
}

@safe
private final class Copy: @unchecked Sendable {
    private let storage: UnsafeMutableRawPointer
    var base: UnsafeRawPointer { unsafe UnsafeRawPointer(storage + 1) }

    init(_ bytes: [UInt8]) {
        unsafe storage = .allocate(byteCount: bytes.count + 1, alignment: 64)
        unsafe bytes.withUnsafeBytes { unsafe (storage + 1).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }

    deinit { unsafe storage.deallocate() }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension Optional where Wrapped == [Float] {
    fileprivate func withPointer(_ body: (UnsafePointer<Float>?) -> Void) {
        guard let self else { return body(nil) }
        unsafe self.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
}
