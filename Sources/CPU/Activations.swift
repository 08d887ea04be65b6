internal import CCPU
package import Compute

/// Rows of activations prepared for matrix products: 8-bit codes with a scale per 32 or 256, plain floats in the kernels' order, or floats
/// as sums of three bf16 numbers.
///
/// The memory is allocated once for a largest shape and refilled from step to step.
@safe
package struct Activations: ~Copyable, @unchecked Sendable {
    package enum Kind: Sendable {
        /// A scale per 32 columns.
        case quantized
        /// A scale per 256 columns, for formats with blocks of as many.
        case superQuantized
        case float
        case split

        init(_ kind: cpu_activation_kind) {
            switch kind {
            case CPU_ACTIVATIONS_Q8_SUPER: self = .superQuantized
            case CPU_ACTIVATIONS_F32: self = .float
            case CPU_ACTIVATIONS_SPLIT: self = .split
            default: self = .quantized
            }
        }

        var kernelValue: cpu_activation_kind {
            switch self {
            case .quantized: CPU_ACTIVATIONS_Q8
            case .superQuantized: CPU_ACTIVATIONS_Q8_SUPER
            case .float: CPU_ACTIVATIONS_F32
            case .split: CPU_ACTIVATIONS_SPLIT
            }
        }
    }

    /// Rows that lie together: ranges of rows start at multiples of it.
    package static let tileRows = Int(CPU_TILE_ROWS)

    package private(set) var kind = Kind.quantized
    package private(set) var rows = 0
    package private(set) var columns = 0
    private let capacity: Int
    private let memory: PageMemory

    /// Memory for up to `rows` rows of `columns` columns of any kind.
    package init(rows: Int, columns: Int) throws(BackendError) {
        capacity = max(
            cpu_activation_bytes(CPU_ACTIVATIONS_Q8, Int64(rows), Int64(columns)),
            cpu_activation_bytes(CPU_ACTIVATIONS_F32, Int64(rows), Int64(columns)),
            cpu_activation_bytes(CPU_ACTIVATIONS_SPLIT, Int64(rows), Int64(columns)))
        memory = try PageMemory(byteCount: capacity, rowByRow: true)
    }

    /// Takes a shape and kind; the contents are undefined until filled.
    package mutating func reshape(_ kind: Kind, rows: Int, columns: Int) {
        precondition(cpu_activation_bytes(kind.kernelValue, Int64(rows), Int64(columns)) <= capacity)
        self.kind = kind
        self.rows = rows
        self.columns = columns
    }

    /// Fills rows of a range (it starts at a multiple of ``tileRows`` and ends at one or at the last row) from rows of `x` that are
    /// `stride` floats apart: row `i` from row `indices[i]`, or from row `i`. Threads may fill disjoint ranges at once.
    ///
    /// - Parameter part: Rows that products will take by themselves, all by default; it starts at a multiple of ``tileRows``. The last tile
    ///   of a part is only as wide as its rows ask for.
    package func fill(
        rows range: Range<Int>, of part: Range<Int>? = nil, from x: UnsafePointer<Float>, stride: Int,
        indices: UnsafePointer<Int32>? = nil, instructionSet: InstructionSet = .best
    ) {
        let part = part ?? 0..<rows
        precondition(range.lowerBound.isMultiple(of: Self.tileRows) && range.upperBound <= part.upperBound)
        precondition(range.upperBound.isMultiple(of: Self.tileRows) || range.upperBound == part.upperBound)
        var value = unsafe kernelValue(of: part)
        let first = part.lowerBound
        unsafe cpu_activations_fill(
            instructionSet.isa, &value, Int64(range.lowerBound - first), Int64(range.upperBound - first),
            indices == nil ? x + first * stride : x, Int64(stride), indices.map { unsafe $0 + first })
    }

    func kernelValue(of part: Range<Int>) -> cpu_activations {
        precondition(part.lowerBound.isMultiple(of: Self.tileRows) && part.upperBound <= rows)
        let offset = cpu_activation_bytes(kind.kernelValue, Int64(part.lowerBound), Int64(columns))
        return unsafe cpu_activations(
            data: memory.base + offset, rows: Int64(part.count), columns: Int64(columns), kind: kind.kernelValue)
    }
}
