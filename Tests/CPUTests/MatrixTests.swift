import CCPU
@testable import CPU
import Quant
import TestSupport
import Testing

/// Every kernel must give the bits of `cpu_matmul_reference`, whatever its instruction set, layout or split.
struct MatrixTests {
    static let formats = Format.all.filter { PackedMatrix.supports($0) }

    @Test func everyQuantizedFormatHasKernels() {
        let names = Set(Self.formats.map(\.name))
        let expected = [
            "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
            "IQ1_S",
            "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4",
            "NVFP4",
        ]
        #expect(names.isSuperset(of: expected))
    }

    @Test(arguments: formats)
    func productsHaveTheBitsOfTheContract(format: Format) throws {
        for (rows, columns) in shapes(of: format) {
            let problem = Problem(format: format, rows: rows, columns: columns, inputs: 64)
            for instructionSet in InstructionSet.supported {
                for repacked in [true, false] {
                    let matrix = problem.matrix(repacked: repacked, instructionSet)
                    for inputs in [1, 2, 3, 5, 6, 8, 9, 15, 16, 17, 29, 46, 64] {
                        let output = try problem.product(matrix, inputs: inputs, instructionSet)
                        let same = problem.matches(output, inputs: inputs, instructionSet)
                        #expect(same, "\(instructionSet) \(rows)x\(columns), \(inputs) rows, repacked: \(repacked)")
                    }
                }
            }
        }
    }

    /// More columns than prepared rows have room for at once.
    @Test(arguments: [Format.q4_k, .q4_0])
    func columnsAreTakenInPasses(format: Format) throws {
        let half = format.blockLength == 256 ? 0 : 128
        let problem = Problem(format: format, rows: 17, columns: 320 * 256 + half, inputs: 16)
        let matrix = problem.matrix(repacked: true, .best)
        for inputs in [5, 16] {
            let output = try problem.product(matrix, inputs: inputs, .best)
            #expect(problem.matches(output, inputs: inputs, .best), "\(inputs) rows")
        }
    }

    /// More rows and columns than are prepared at once, neither of them a whole number of what kernels take.
    @Test(arguments: [Format.q4_0, .q4_1, .q8_0, .q4_k, .q6_k, .q2_k, .iq1_s])
    func manyRowsAreTakenInPasses(format: Format) throws {
        let columns = format.blockLength == 256 ? 19 * 256 : 18 * 256 + 160
        let problem = Problem(format: format, rows: 70, columns: columns, inputs: 555)
        for repacked in [true, false] {
            let matrix = problem.matrix(repacked: repacked, .best)
            for inputs in [250, 513, 555] {
                let output = try problem.product(matrix, inputs: inputs, .best)
                #expect(problem.matches(output, inputs: inputs, .best), "\(inputs) rows, repacked: \(repacked)")
            }
        }
    }

    @Test(arguments: formats)
    func extremeInputsOverflowNothing(format: Format) throws {
        let problem = Problem(
            format: format, rows: 33, columns: columns(of: format, blocks: 3), inputs: 40, extreme: true)
        for instructionSet in InstructionSet.supported {
            let matrix = problem.matrix(repacked: true, instructionSet)
            for inputs in [1, 4, 16, 40] {
                let output = try problem.product(matrix, inputs: inputs, instructionSet)
                #expect(problem.matches(output, inputs: inputs, instructionSet), "\(instructionSet), \(inputs) rows")
            }
        }
    }

    @Test(arguments: formats)
    func splittingChangesNothing(format: Format) throws {
        let problem = Problem(format: format, rows: 120, columns: columns(of: format, blocks: 3), inputs: 61)
        for instructionSet in InstructionSet.supported {
            let matrix = problem.matrix(repacked: true, instructionSet)
            for groupSplits in [[0, 1, 8], [0, 4, 5, 8], [0, 3, 6, 7, 8]] {
                for rowSplits in [[0, 61], [0, 4, 61], [0, 32, 61], [0, 8, 16, 20, 61]] {
                    let output = try problem.product(
                        matrix, inputs: 61, instructionSet, rowSplits: rowSplits, groupSplits: groupSplits)
                    #expect(
                        problem.matches(output, inputs: 61, instructionSet),
                        "\(instructionSet) \(groupSplits) \(rowSplits)")
                }
            }
        }
    }

    @Test(arguments: formats)
    func rowsAreDecodedAsTheReferenceDoes(format: Format) {
        let problem = Problem(format: format, rows: 3, columns: columns(of: format, blocks: 3), inputs: 1)
        let rowBytes = problem.blocks.count / 3
        unsafe problem.blocks.withUnsafeBytes { bytes in
            for row in 0..<3 {
                let source = unsafe bytes.baseAddress! + row * rowBytes
                var decoded = [Float](repeating: .nan, count: problem.columns)
                unsafe PackedMatrix.decodeRow(format, source, columns: problem.columns, into: &decoded)
                var expected = [Float](repeating: 0, count: problem.columns)
                unsafe expected.withUnsafeMutableBufferPointer { buffer in
                    for block in 0..<problem.columns / format.blockLength {
                        unsafe format.decodeBlock(
                            source + block * format.blockBytes, buffer.baseAddress! + block * format.blockLength)
                    }
                }
                #expect(decoded.map(\.bitPattern) == expected.map(\.bitPattern))
            }
        }
    }

    @Test func expertsAreStacked() throws {
        let problems = (0..<3).map { Problem(format: .q4_k, rows: 33, columns: 512, inputs: 5, seed: UInt64($0)) }
        let matrix = PackedMatrix(format: .q4_k, rows: 33, columns: 512, experts: 3)!
        for (expert, problem) in problems.enumerated() {
            unsafe problem.blocks.withUnsafeBytes {
                unsafe matrix.pack(expert: expert, rowGroups: 0..<matrix.rowGroups, from: $0.baseAddress!)
            }
        }
        for (expert, problem) in problems.enumerated() {
            let output = try problem.product(matrix, inputs: 5, .best, expert: expert)
            #expect(problem.matches(output, inputs: 5, .best))
        }
    }

    /// Pages move under a matrix of several huge pages, one of them partly used.
    @Test func `Settling weights changes no product`() throws {
        let problem = Problem(format: .q8_0, rows: 96, columns: 65536, inputs: 2)
        let matrix = problem.matrix(repacked: true, .best)
        let small = Problem(format: .q8_0, rows: 16, columns: 64, inputs: 1).matrix(repacked: true, .best)
        let before = try problem.product(matrix, inputs: 2, .best)
        let weights = CPUWeights(matrices: [nil, small, matrix], vectors: [], tables: [])
        var pieces = 0
        while weights.settle(afterSteps: .max, within: .zero) { pieces += 1 }
        #expect(pieces == 1 + (matrix.byteCount + (2 << 20) - 1) / (2 << 20))
        let after = try problem.product(matrix, inputs: 2, .best)
        #expect(problem.matches(before, inputs: 2, .best) && before == after)
    }

    /// In one pass over the columns, and in several.
    @Test(arguments: [(96, 7), (4704, 260)])
    func biasThenResidualAreAdded(columns: Int, inputs: Int) throws {
        let problem = Problem(format: .q8_0, rows: 33, columns: columns, inputs: inputs)
        let bias = (0..<33).map { Float($0) / 7 }
        let residual = (0..<inputs * 40).map { Float($0 % 13) / 3 }
        for instructionSet in InstructionSet.supported {
            let matrix = problem.matrix(repacked: true, instructionSet)
            let output = try problem.product(
                matrix, inputs: inputs, instructionSet, bias: bias, residual: residual, residualStride: 40)
            let expected = problem.expected(instructionSet)
            let same = (0..<inputs * 33).allSatisfy { at in
                let (m, n) = (at / 33, at % 33)
                return output[m * Problem.stride + n] == expected[at] + bias[n] + residual[m * 40 + n]
            }
            #expect(same, "\(instructionSet)")
        }
    }

    @Test func rowsAreGathered() throws {
        let problem = Problem(format: .q4_0, rows: 17, columns: 64, inputs: 9)
        let matrix = problem.matrix(repacked: true, .best)
        let indices: [Int32] = [7, 0, 8, 3, 3]
        let output = try problem.product(matrix, inputs: 5, .best, indices: indices)
        for (m, index) in indices.enumerated() {
            for n in 0..<17 { #expect(output[m * Problem.stride + n] == problem.expected(.best)[Int(index) * 17 + n]) }
        }
    }

    /// An Inf or a NaN among the inputs must not come out as a number.
    @Test(arguments: [Float.nan, .infinity, -.infinity], [Format.q4_0, .q4_k])
    func brokenInputsStayBroken(value: Float, format: Format) throws {
        for instructionSet in InstructionSet.supported {
            var problem = Problem(format: format, rows: 16, columns: 256, inputs: 33)
            problem.inputs[256 + 6] = value
            let matrix = problem.matrix(repacked: true, instructionSet)
            for inputs in [2, 33] {
                let output = try problem.product(matrix, inputs: inputs, instructionSet)
                #expect((0..<16).allSatisfy { output[$0] == problem.expected(instructionSet)[$0] })
                #expect((0..<16).allSatisfy { !output[Problem.stride + $0].isFinite })
            }
        }
    }

    @Test func shapesThatDoNotFitAreRefused() {
        #expect(PackedMatrix(format: .q4_0, rows: 1, columns: 33) == nil)
        #expect(PackedMatrix(format: .q4_k, rows: 1, columns: 128) == nil)
        #expect(PackedMatrix(format: .f32, rows: .max / 8, columns: 1024) == nil)
        #expect(PackedMatrix(format: .f32, rows: 0, columns: 1) == nil)
    }

    /// Odd numbers of rows, and one block, a few, and more than fit a panel.
    private func shapes(of format: Format) -> [(rows: Int, columns: Int)] {
        let blocks = format.blockLength == 256 ? [1, 3] : [1, 3, 12, 14, 19]
        return blocks.flatMap { count in [1, 15, 16, 17, 33, 70].map { ($0, columns(of: format, blocks: count)) } }
    }

    private func columns(of format: Format, blocks: Int) -> Int {
        format.blockLength == 1 ? [1: 1, 3: 37, 12: 128, 14: 224, 19: 300][blocks]! : blocks * format.blockLength
    }
}
