internal import CCPU
import Glibc
package import Quant

/// One or more stacked weight matrices (the experts of a mixture) of `rows` outputs and `columns` inputs, in the kernels'
/// layout or borrowed as GGUF blocks.
///
/// Filling is not synchronised: pack every row group once, from any threads, before the first product.
@safe
package final class PackedMatrix: Sendable {
    /// Outputs whose weights lie interleaved: the unit in which work is split over threads.
    package static let groupRows = Int(CPU_GROUP_ROWS)

    package let format: Format
    package let rows: Int
    package let columns: Int
    package let experts: Int
    /// Bytes of memory that the matrix occupies; zero where it is borrowed.
    package let byteCount: Int

    private nonisolated(unsafe) let kernelFormat: OpaquePointer
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer
    private let expertBytes: Int
    private let packed: Bool
    private let owner: (any Sendable)?

    /// Row groups of one expert.
    package var rowGroups: Int { (rows + Self.groupRows - 1) / Self.groupRows }

    /// Whether there are kernels for a format.
    package static func supports(_ format: Format) -> Bool { unsafe cpu_matrix_format_for(format.id) != nil }

    /// Whether repacking makes products faster. Other formats are best borrowed.
    package static func repacks(_ format: Format) -> Bool {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id) else { return false }
        return unsafe cpu_matrix_repacks(kernelFormat)
    }

    /// Reserves memory for a repacked matrix; `nil` where the format has no kernels, the shape does not fit it, or memory is out.
    package init?(format: Format, rows: Int, columns: Int, experts: Int = 1) {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id), rows > 0, columns > 0, experts > 0,
            Self.ggufBytes(format, rows, columns, experts) != nil
        else { return nil }
        let expertBytes = unsafe cpu_matrix_packed_bytes(kernelFormat, Int64(rows), Int64(columns))
        let (total, overflow) = expertBytes.multipliedReportingOverflow(by: experts)
        guard !overflow, let base = unsafe HugePages.allocate(total, later: true) else { return nil }
        self.format = format
        self.rows = rows
        self.columns = columns
        self.experts = experts
        self.byteCount = total
        unsafe self.kernelFormat = kernelFormat
        unsafe self.base = base
        self.expertBytes = expertBytes
        packed = true
        owner = nil
    }

    /// Borrows GGUF blocks. `owner` keeps them alive. `nil` where the format has no kernels or the shape does not fit it.
    package init?(
        borrowing blocks: UnsafeRawPointer, owner: any Sendable, format: Format, rows: Int, columns: Int,
        experts: Int = 1
    ) {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id), rows > 0, columns > 0, experts > 0,
            let total = Self.ggufBytes(format, rows, columns, experts)
        else { return nil }
        self.format = format
        self.rows = rows
        self.columns = columns
        self.experts = experts
        self.byteCount = 0
        unsafe self.kernelFormat = kernelFormat
        unsafe self.base = UnsafeMutableRawPointer(mutating: blocks)
        self.expertBytes = total / experts
        packed = false
        self.owner = owner
    }

    deinit {
        if packed { unsafe HugePages.free(base, byteCount) }
    }

    /// Moves the bytes from `offset`, a multiple of ``HugePages/piece``, to the next onto huge pages.
    func settle(at offset: Int) {
        if packed { unsafe HugePages.settle(base, byteCount, at: offset) }
    }

    /// Bytes of the GGUF blocks of all experts, or `nil` where they do not fit the format or overflow.
    private static func ggufBytes(_ format: Format, _ rows: Int, _ columns: Int, _ experts: Int) -> Int? {
        guard let row = format.byteCount(of: columns) else { return nil }
        // Half the range leaves room for padding to whole row groups.
        let (perExpert, overflow) = row.multipliedReportingOverflow(by: rows + 2 * groupRows)
        let (total, overflowAll) = perExpert.multipliedReportingOverflow(by: experts * 2)
        return overflow || overflowAll || total < 0 ? nil : row * rows * experts
    }

    /// Repacks row groups of one expert; `blocks` is the GGUF data of that expert's first row.
    package func pack(
        expert: Int = 0, rowGroups: Range<Int>, from blocks: UnsafeRawPointer, instructionSet: InstructionSet = .best
    ) {
        precondition(packed && expert >= 0 && expert < experts)
        precondition(rowGroups.lowerBound >= 0 && rowGroups.upperBound <= self.rowGroups)
        let groupBytes = expertBytes / self.rowGroups
        let target = unsafe base + expert * expertBytes
        unsafe HugePages.populate(target + rowGroups.lowerBound * groupBytes, rowGroups.count * groupBytes)
        unsafe cpu_matrix_pack(
            instructionSet.isa, kernelFormat, Int64(rows), Int64(columns), Int64(rowGroups.lowerBound),
            Int64(rowGroups.upperBound), blocks, target)
    }

    /// `output[m][n] = input[m] · W[n] (+ bias[n]) (+ residual[m][n])` for the rows `m` of a range (all of `input` by default) and
    /// the outputs `n` of a range of row groups of one expert. The ranges decide who computes what, never the result.
    ///
    /// - Parameters:
    ///   - rows: Starts at a multiple of ``Activations/tileRows``.
    ///   - part: Rows that were filled as one part and hold `rows`; by default all.
    ///   - output: Row 0, output 0; rows are `stride` floats apart.
    ///   - residual: Like `output`, which it must not overlap.
    ///   - scratch: ``scratchBytes`` bytes, 64-byte aligned, of the calling thread.
    package func multiply(
        _ input: borrowing Activations, rows range: Range<Int>? = nil, of part: Range<Int>? = nil, expert: Int = 0,
        rowGroups: Range<Int>, into output: UnsafeMutablePointer<Float>, stride: Int, bias: UnsafePointer<Float>? = nil,
        residual: UnsafePointer<Float>? = nil, residualStride: Int = 0, scratch: UnsafeMutableRawPointer,
        instructionSet: InstructionSet = .best
    ) {
        precondition(expert >= 0 && expert < experts && input.columns == columns)
        precondition(input.kind == activationKind(instructionSet))
        precondition(rowGroups.lowerBound >= 0 && rowGroups.upperBound <= self.rowGroups)
        let part = part ?? 0..<input.rows
        let range = range ?? part
        precondition(range.lowerBound >= part.lowerBound && range.upperBound <= part.upperBound)
        precondition(range.lowerBound.isMultiple(of: Activations.tileRows))
        var matrix = unsafe cpu_matrix(
            format: kernelFormat, data: base + expert * expertBytes, rows: Int64(rows), columns: Int64(columns),
            packed: packed)
        let first = part.lowerBound
        var activations = unsafe input.kernelValue(of: part)
        var epilogue = unsafe cpu_epilogue(
            bias: bias, residual: residual.map { unsafe $0 + first * residualStride },
            residual_stride: Int64(residualStride))
        unsafe cpu_matmul(
            instructionSet.isa, &matrix, &activations, Int64(range.lowerBound - first),
            Int64(range.upperBound - first), Int64(rowGroups.lowerBound), Int64(rowGroups.upperBound),
            output + first * stride, Int64(stride), &epilogue, scratch)
    }

    /// Bytes of scratch memory of ``multiply(_:rows:of:expert:rowGroups:into:stride:bias:residual:residualStride:scratch:instructionSet:)``.
    package static let scratchBytes = 1536 << 10

    /// What inputs must be prepared as.
    package func activationKind(_ instructionSet: InstructionSet = .best) -> Activations.Kind {
        Activations.Kind(unsafe cpu_matrix_activation_kind(instructionSet.isa, kernelFormat))
    }

    /// Decodes one row of GGUF blocks (an embedding) of `format`, which has kernels.
    package static func decodeRow(
        _ format: Format, _ row: UnsafeRawPointer, columns: Int, into output: UnsafeMutablePointer<Float>
    ) {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id) else {
            preconditionFailure("no kernels for \(format)")
        }
        unsafe cpu_decode_row(kernelFormat, row, Int64(columns), output)
    }
}
