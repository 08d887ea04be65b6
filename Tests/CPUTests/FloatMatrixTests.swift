import CPU
import Quant
import TestSupport
import Testing

/// F16 and BF16, where the matrix unit multiplies sums of bf16 numbers.
struct FloatMatrixTests {
    static let formats: [Format] = [.f16, .bf16]

    /// Numbers of rows around records of 16, pairs of them and passes of 256; columns beyond what one panel and one pass hold.
    @Test(arguments: formats)
    func `Products of many rows have the bits of the contract`(format: Format) throws {
        for (rows, columns, counts) in [(70, 1100, [16, 31, 32, 33, 48, 63, 300]), (32, 5700, [1, 257])] {
            let problem = Problem(format: format, rows: rows, columns: columns, inputs: counts.max()!)
            for instructionSet in InstructionSet.supported {
                let matrix = problem.matrix(repacked: true, instructionSet)
                for inputs in counts {
                    let output = try problem.product(matrix, inputs: inputs, instructionSet)
                    let same = problem.matches(output, inputs: inputs, instructionSet)
                    #expect(same, "\(instructionSet) \(rows)x\(columns), \(inputs) rows")
                }
            }
        }
    }

    /// Beside the sum of the products' magnitudes, whose half unit in binary32 is 2^-24. Short chains lose less than one of 2,048.
    @Test(arguments: formats)
    func `Errors are at the level of binary32`(format: Format) {
        let problem = Problem(format: format, rows: 16, columns: 2048, inputs: 4)
        let weights = decoded(problem)
        for (instructionSet, bound) in [(InstructionSet.portable, 0x1p-21), (.amx, 0x1p-23)] {
            let result = problem.expected(instructionSet)
            for m in 0..<4 {
                for n in 0..<16 {
                    var (exact, magnitudes) = (0.0, 0.0)
                    for k in 0..<2048 {
                        let product = Double(weights[n * 2048 + k]) * Double(problem.inputs[m * 2048 + k])
                        exact += product
                        magnitudes += abs(product)
                    }
                    #expect(abs(Double(result[m * 16 + n]) - exact) <= magnitudes * bound, "\(instructionSet)")
                }
            }
        }
    }

    /// The largest number, the smallest normal and subnormal ones, and what rounds up to a power of two.
    @Test(arguments: formats)
    func `Extreme inputs have the bits of the contract`(format: Format) throws {
        var problem = Problem(format: format, rows: 33, columns: 96, inputs: 20)
        let extremes: [Float] = [
            0, -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, .leastNormalMagnitude.nextDown, 0x1p-110,
            -0x1.7p-118,
            Float(1).nextDown, -Float(1).nextUp, 0x1.fep0, 0x1.ffp0, 0x1.01p0, 0x1.03p0, 1e-30,
        ]
        for i in problem.inputs.indices { problem.inputs[i] = extremes[i * 7 % 97 % extremes.count] }
        // Sums with it would overflow one way or another: alone.
        for k in 0..<96 { problem.inputs[96 * 5 + k] = k == 41 ? -.greatestFiniteMagnitude * 0x1p-21 : 0 }
        problem.computeExpected()
        for instructionSet in InstructionSet.supported {
            let output = try problem.product(problem.matrix(repacked: true, instructionSet), inputs: 20, instructionSet)
            #expect(problem.matches(output, inputs: 20, instructionSet), "\(instructionSet)")
        }
    }

    /// As IEEE 754 has it: an infinite input times a weight that is not zero is infinite.
    @Test(arguments: formats)
    func `An infinity comes out as one and a NaN as NaN`(format: Format) throws {
        for value in [Float.infinity, -.infinity, .nan, Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff)]
        {
            var problem = Problem(format: format, rows: 48, columns: 64, inputs: 3)
            problem.inputs[70] = value
            let weights = decoded(problem)
            for instructionSet in InstructionSet.supported {
                for repacked in [true, false] {
                    let output = try problem.product(
                        problem.matrix(repacked: repacked, instructionSet), inputs: 3, instructionSet)
                    for n in 0..<48 {
                        let (result, expected) = (output[Problem.stride + n], value * weights[n * 64 + 6])
                        #expect(expected.isNaN ? result.isNaN : result == expected, "\(instructionSet) \(n)")
                        #expect(output[n] == problem.expected(instructionSet)[n])
                    }
                }
            }
        }
    }

    private func decoded(_ problem: Problem) -> [Float] {
        var result = [Float](repeating: 0, count: problem.rows * problem.columns)
        unsafe problem.blocks.withUnsafeBytes { bytes in
            unsafe result.withUnsafeMutableBufferPointer { buffer in
                for i in buffer.indices {
                    unsafe problem.format.decodeBlock(bytes.baseAddress! + i * 2, buffer.baseAddress! + i)
                }
            }
        }
        return result
    }
}
