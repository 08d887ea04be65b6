@testable import CPU
import Compute
import Quant
import Synchronization
import TestSupport
import Testing

/// Matrices that are borrowed at first and repacked between steps.
struct LateRepackingTests {
    static let formats = Format.all.filter { PackedMatrix.readsBlocks($0) }

    @Test func `The common types are computed as they lie in the file`() {
        let names = Set(Self.formats.map(\.name))
        #expect(
            names.isSuperset(of: ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4", "Q4_K", "Q5_K", "Q6_K"]))
    }

    /// Three experts of 33 rows, repacked one row group after the other, and products of all of them in between.
    @Test(arguments: formats)
    func `A product has the same bits before, while and after its matrix is repacked`(format: Format) throws {
        let columns = 3 * max(64, format.blockLength)
        let problems = (0..<3).map { Problem(format: format, rows: 33, columns: columns, inputs: 9, seed: UInt64($0)) }
        let borrowed = Borrowed(problems)
        let matrix = try #require(borrowed.matrix)
        var states = 0
        while true {
            for (expert, problem) in problems.enumerated() {
                for (inputs, splits) in [(1, [0, 3]), (2, [0, 1, 3]), (4, [0, 3]), (9, [0, 2, 3])] {
                    let output = try problem.product(
                        matrix, inputs: inputs, .best, expert: expert, groupSplits: splits)
                    #expect(problem.matches(output, inputs: inputs, .best), "expert \(expert), \(states) row groups")
                }
            }
            let groups = matrix.nextGroups(bytes: 1)
            if groups.isEmpty { break }
            borrowed.pack(groups)
            matrix.finish(groups)
            states += 1
        }
        #expect(states == 9)
        borrowed.overwrite()
        for (expert, problem) in problems.enumerated() {
            let output = try problem.product(matrix, inputs: 2, .best, expert: expert)
            #expect(problem.matches(output, inputs: 2, .best), "without its GGUF blocks")
        }
    }

    /// As when two engines share weights and one of them settles.
    @Test func `Products run while another thread repacks`() async throws {
        let problem = Problem(format: .q8_0, rows: 4096, columns: 64, inputs: 1)
        let borrowed = Borrowed([problem])
        let matrix = try #require(borrowed.matrix)
        let expected = try problem.wideProduct(matrix)
        async let done: Void = {
            while true {
                let groups = matrix.nextGroups(bytes: 1)
                if groups.isEmpty { return }
                borrowed.pack(groups)
                matrix.finish(groups)
                await Task.yield()
            }
        }()
        var rounds = 0
        while rounds < 10 || !matrix.nextGroups(bytes: 1).isEmpty {
            #expect(try problem.wideProduct(matrix) == expected)
            rounds += 1
        }
        await done
    }

    @Test func `Settling repacks after some steps, lets the file's pages go, and changes nothing`() throws {
        let problem = Problem(format: .q8_0, rows: 96, columns: 65536, inputs: 2)
        let borrowed = Borrowed([problem])
        let matrix = try #require(borrowed.matrix)
        let evicted = Mutex<[Range<Int>]>([])
        let bytes = unsafe WeightBytes(
            base: borrowed.base, count: borrowed.count, owner: borrowed, isMapped: true,
            discard: { _ in Issue.record("bytes that may still be read were discarded") },
            evict: { range in evicted.withLock { $0.append(range) } })
        let weights = CPUWeights(
            matrices: [matrix], vectors: [], tables: [],
            repacking: LateRepacking([.init(matrix: matrix, bytes: bytes)], on: WorkerPool(count: 2)))
        let before = try problem.product(matrix, inputs: 2, .best)
        #expect(problem.matches(before, inputs: 2, .best))

        #expect(weights.settle(afterSteps: 1, within: .seconds(1)))
        #expect(matrix.nextGroups(bytes: 1) == 0..<1)
        // At least one piece, and no more when there is no time.
        #expect(weights.settle(afterSteps: 2, within: .zero))
        #expect(matrix.nextGroups(bytes: 1) == 6..<6)
        #expect(try problem.product(matrix, inputs: 2, .best) == before)
        #expect(evicted.withLock { $0.map(\.count).reduce(0, +) } == borrowed.count)
        while weights.settle(afterSteps: .max, within: .zero) {}
        #expect(try problem.product(matrix, inputs: 2, .best) == before)
    }

    @Test func `The first scale that is no finite number is named, wherever it is`() throws {
        let format = Format.q8_0
        let count = (9 << 20) / format.blockBytes
        var bytes = [UInt8](repeating: 0, count: count * format.blockBytes)
        func check(_ names: [String]) throws(BackendError) {
            let memory = Memory(bytes)
            var check = FiniteCheck()
            for name in names {
                check.add(
                    WeightDeclaration(name: name, rows: count, columns: 32), format,
                    unsafe WeightBytes(base: memory.base, count: bytes.count, owner: memory))
            }
            try check.run(on: WorkerPool(count: 2)) { _ in }
        }
        try check(["a", "b"])
        for block in [count - 1, 200_000, 63] {
            bytes[block * format.blockBytes + 1] = 0x7c
            let error = #expect(throws: BackendError.self) { try check(["a", "b"]) }
            #expect(error.map { "\($0)" } == "tensor 'a' has a scale that is no finite number in block \(block)")
        }
    }
}

@safe
private final class Memory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        unsafe base = memory
        count = bytes.count
    }

    deinit { unsafe base.deallocate() }
}

/// GGUF blocks of some problems of one shape as experts of one matrix.
@safe
private final class Borrowed: Sendable {
    private let memory: Memory
    let matrix: PackedMatrix?
    var base: UnsafeRawPointer { unsafe UnsafeRawPointer(memory.base) }
    var count: Int { memory.count }
    private let expertBytes: Int

    init(_ problems: [Problem]) {
        memory = Memory(problems.flatMap(\.blocks))
        expertBytes = problems[0].blocks.count
        matrix = unsafe PackedMatrix(
            borrowing: memory.base, owner: memory, format: problems[0].format, rows: problems[0].rows,
            columns: problems[0].columns, experts: problems.count, repackedLater: true)
    }

    /// Row groups counted through all experts, within one.
    func pack(_ groups: Range<Int>) {
        guard let matrix else { return }
        let expert = groups.lowerBound / matrix.rowGroups
        let first = groups.lowerBound % matrix.rowGroups
        unsafe matrix.pack(
            expert: expert, rowGroups: first..<first + groups.count, from: base + expert * expertBytes)
    }

    func overwrite() { unsafe memory.base.initializeMemory(as: UInt8.self, repeating: 0xff, count: count) }
}

extension Problem {
    /// The product with the first input, of any number of rows.
    fileprivate func wideProduct(_ matrix: PackedMatrix) throws -> [Float] {
        var activations = try Activations(rows: 1, columns: columns)
        activations.reshape(matrix.activationKind(), rows: 1, columns: columns)
        unsafe activations.fill(rows: 0..<1, from: inputs, stride: columns)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: PackedMatrix.scratchBytes, alignment: 64)
        defer { unsafe scratch.deallocate() }
        var output = [Float](repeating: 0, count: rows)
        unsafe matrix.multiply(
            activations, rowGroups: 0..<matrix.rowGroups, into: &output, stride: rows, scratch: scratch)
        return output
    }
}
