internal import CCPU
import Glibc
package import Quant
internal import Synchronization

/// One or more stacked weight matrices (the experts of a mixture) of `rows` outputs and `columns` inputs, in the kernels'
/// layout, borrowed as GGUF blocks, or on the way from one to the other.
///
/// Filling is not synchronised: pack every row group once, from any threads, before the first product, or before ``finish(_:)`` where
/// the matrix is borrowed meanwhile.
@safe
package final class PackedMatrix: Sendable {
    /// Outputs whose weights lie interleaved: the unit in which work is split over threads.
    package static let groupRows = Int(CPU_GROUP_ROWS)

    package let format: Format
    package let rows: Int
    package let columns: Int
    package let experts: Int
    /// Bytes of memory that the matrix occupies, or will once it is repacked; zero where it stays borrowed.
    package let byteCount: Int
    /// Bytes of a row's GGUF blocks.
    let rowBytes: Int
    /// Whether GGUF blocks are borrowed, for good or until they are repacked.
    var isBorrowed: Bool { unsafe blocks != nil }
    /// Bytes of a row group in the kernels' layout; zero where the matrix stays borrowed.
    let groupBytes: Int

    private nonisolated(unsafe) let kernelFormat: OpaquePointer
    /// In the kernels' layout; `nil` where it stays borrowed.
    private nonisolated(unsafe) let packed: UnsafeMutableRawPointer?
    /// GGUF blocks; `nil` where it is not borrowed.
    private nonisolated(unsafe) let blocks: UnsafeRawPointer?
    private let owner: (any Sendable)?
    /// Row groups, counted through all experts, that are read in the kernels' layout; those behind them as GGUF blocks. It only grows, and
    /// releases what was written before: a product that reads it, on any thread and of any engine, finds each row group whole in the
    /// one place or the other, with the same result to the bit. GGUF blocks stay valid.
    private let finishedGroups: Atomic<Int>

    /// Row groups of one expert.
    package var rowGroups: Int { (rows + Self.groupRows - 1) / Self.groupRows }

    /// Whether there are kernels for a format.
    package static func supports(_ format: Format) -> Bool { unsafe cpu_matrix_format_for(format.id) != nil }

    /// Whether repacking makes products faster. Other formats are best borrowed.
    package static func repacks(_ format: Format) -> Bool {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id) else { return false }
        return unsafe cpu_matrix_repacks(kernelFormat)
    }

    /// Whether products with GGUF blocks are about as fast: repacking can wait.
    static func readsBlocks(_ format: Format) -> Bool {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id) else { return false }
        return unsafe cpu_matrix_reads_blocks(InstructionSet.best.isa, kernelFormat)
    }

    /// Reserves memory for a repacked matrix; `nil` where the format has no kernels, the shape does not fit it, or memory is out.
    package convenience init?(format: Format, rows: Int, columns: Int, experts: Int = 1) {
        unsafe self.init(
            format: format, rows: rows, columns: columns, experts: experts, blocks: nil, owner: nil, repacked: true)
    }

    /// Borrows GGUF blocks. `owner` keeps them alive. `nil` where the format has no kernels or the shape does not fit it.
    ///
    /// - Parameter later: Reserves memory for repacking it later, too.
    package convenience init?(
        borrowing blocks: UnsafeRawPointer, owner: any Sendable, format: Format, rows: Int, columns: Int,
        experts: Int = 1, repackedLater later: Bool = false
    ) {
        unsafe self.init(
            format: format, rows: rows, columns: columns, experts: experts, blocks: blocks, owner: owner,
            repacked: later)
    }

    private init?(
        format: Format, rows: Int, columns: Int, experts: Int, blocks: UnsafeRawPointer?, owner: (any Sendable)?,
        repacked: Bool
    ) {
        guard let kernelFormat = unsafe cpu_matrix_format_for(format.id), rows > 0, columns > 0, experts > 0,
            let rowBytes = Self.rowBytes(format, rows, columns, experts)
        else { return nil }
        if repacked {
            let expertBytes = unsafe cpu_matrix_packed_bytes(kernelFormat, Int64(rows), Int64(columns))
            let (total, overflow) = expertBytes.multipliedReportingOverflow(by: experts)
            guard !overflow, let base = unsafe HugePages.allocate(total, later: true) else { return nil }
            unsafe packed = base
            byteCount = total
        } else {
            unsafe packed = nil
            byteCount = 0
        }
        self.format = format
        self.rows = rows
        self.columns = columns
        self.experts = experts
        self.rowBytes = rowBytes
        groupBytes = byteCount / (experts * ((rows + Self.groupRows - 1) / Self.groupRows))
        unsafe self.kernelFormat = kernelFormat
        unsafe self.blocks = blocks
        self.owner = owner
        finishedGroups = Atomic(unsafe blocks == nil ? .max : 0)
    }

    deinit {
        if let packed = unsafe packed { unsafe HugePages.free(packed, byteCount) }
    }

    /// Moves the bytes from `offset`, a multiple of ``HugePages/piece``, to the next onto huge pages.
    func settle(at offset: Int) {
        if let packed = unsafe packed { unsafe HugePages.settle(packed, byteCount, at: offset) }
    }

    /// Bytes of a row's GGUF blocks, or `nil` where they do not fit the format or those of all experts overflow.
    private static func rowBytes(_ format: Format, _ rows: Int, _ columns: Int, _ experts: Int) -> Int? {
        guard let row = format.byteCount(of: columns) else { return nil }
        // Half the range leaves room for padding to whole row groups.
        let (perExpert, overflow) = row.multipliedReportingOverflow(by: rows + 2 * groupRows)
        let (total, overflowAll) = perExpert.multipliedReportingOverflow(by: experts * 2)
        return overflow || overflowAll || total < 0 ? nil : row
    }

    /// Repacks row groups of one expert; `blocks` is the GGUF data of that expert's first row.
    package func pack(
        expert: Int = 0, rowGroups: Range<Int>, from blocks: UnsafeRawPointer, instructionSet: InstructionSet = .best
    ) {
        guard let packed = unsafe packed else { preconditionFailure("a matrix that stays borrowed") }
        precondition(expert >= 0 && expert < experts)
        precondition(rowGroups.lowerBound >= 0 && rowGroups.upperBound <= self.rowGroups)
        let target = unsafe packed + expert * self.rowGroups * groupBytes
        unsafe HugePages.prepare(
            target + rowGroups.lowerBound * groupBytes, rowGroups.count * groupBytes, for: .writing)
        unsafe cpu_matrix_pack(
            instructionSet.isa, kernelFormat, Int64(rows), Int64(columns), Int64(rowGroups.lowerBound),
            Int64(rowGroups.upperBound), blocks, target)
    }

    /// The row groups, counted through all experts, that are to be packed next: of `bytes` bytes, at least one. None where all are or the
    /// matrix stays borrowed.
    func nextGroups(bytes: Int) -> Range<Int> {
        let all = groupBytes == 0 ? 0 : rowGroups * experts
        let first = min(finishedGroups.load(ordering: .relaxed), all)
        return first..<min(first + max(1, bytes / max(1, groupBytes)), all)
    }

    /// From now on products read these row groups, those of ``nextGroups(bytes:)``, in the kernels' layout. On one thread at a time.
    func finish(_ groups: Range<Int>) {
        precondition(groups.lowerBound == finishedGroups.load(ordering: .relaxed))
        finishedGroups.store(groups.upperBound, ordering: .releasing)
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
        let first = part.lowerBound
        var activations = unsafe input.kernelValue(of: part)
        var epilogue = unsafe cpu_epilogue(
            bias: bias, residual: residual.map { unsafe $0 + first * residualStride },
            residual_stride: Int64(residualStride))
        let finished = finishedGroups.load(ordering: .acquiring)
        let before = min(max(rowGroups.lowerBound, finished - expert * self.rowGroups), rowGroups.upperBound)
        func multiply(_ groups: Range<Int>, _ data: UnsafeRawPointer?, expertBytes: Int, packed: Bool) {
            guard !groups.isEmpty, let data = unsafe data else { return }
            var matrix = unsafe cpu_matrix(
                format: kernelFormat, data: data + expert * expertBytes, rows: Int64(rows), columns: Int64(columns),
                packed: packed)
            unsafe cpu_matmul(
                instructionSet.isa, &matrix, &activations, Int64(range.lowerBound - first),
                Int64(range.upperBound - first), Int64(groups.lowerBound), Int64(groups.upperBound),
                output + first * stride, Int64(stride), &epilogue, scratch)
        }
        unsafe multiply(
            rowGroups.lowerBound..<before, UnsafeRawPointer(packed), expertBytes: self.rowGroups * groupBytes,
            packed: true)
        unsafe multiply(before..<rowGroups.upperBound, blocks, expertBytes: rows * rowBytes, packed: false)
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
