internal import Compute

/// The rows that were last prepared for products of integer formats: an operation may prepare what it writes, and products of one input
/// need it once.
final class Preparation {
    /// What they are; `nil` for rows that are no value's.
    private(set) var held: PreparedValue?
    /// Where they are.
    private(set) var rows: PreparedRows
    /// The operation that the launch before it has done already, by index.
    var done: Int?

    init(_ rows: PreparedRows) { self.rows = rows }

    func hold(_ value: PreparedValue?, in rows: PreparedRows) {
        held = value
        self.rows = rows
    }
}

/// A value as codes, with a scale per so many columns.
struct PreparedValue: Hashable {
    let value: Value
    let columns: Int
}

/// Who needs what an operation writes as codes.
struct CodeReaders {
    /// Columns that share a scale for the next one.
    let columns: Int
    /// No other reader needs floats, or codes of other columns.
    let takeAll: Bool
}

extension Lowering {
    /// Whether the operation at `index` should prepare its result `value` itself: the next one that needs codes reads it.
    func codeReaders(of value: Value, after index: Int) -> CodeReaders? {
        var columns: Int?
        var all = value != program.logits
        var first = true
        for op in program.ops[(index + 1)...] {
            let takes = takesCodes(op)
            if op.reads.contains(value) {
                let input = takes.input == value
                if first, input { columns = columns ?? takes.columns.first }
                if !first || !input || takes.columns != columns.map({ [$0] }) || takes.takesFloats
                    || op.reads.filter({ $0 == value }).count > 1
                {
                    all = false
                }
                if takes.columns.contains(where: { $0 != columns }) { first = false }
            }
            // From here on the memory holds other rows.
            if let other = takes.input, other != value { first = false }
            if takes.overwrites { first = false }
        }
        return columns.map { CodeReaders(columns: $0, takeAll: all) }
    }

    /// How an operation reads codes.
    private struct Taken {
        /// The value that it reads as codes, and the columns that share a scale; more than one where its weights differ.
        var input: Value?
        var columns: [Int] = []
        /// It reads the value as floats too.
        var takesFloats = true
        /// It prepares others besides.
        var overwrites = false

        init(_ input: Value, _ layouts: [WeightLayout]) {
            columns = WeightLayout.activationColumns(layouts)
            if !columns.isEmpty { self.input = input }
            takesFloats = layouts.contains { $0.activationColumns == nil }
        }

        init(overwrites: Bool) { self.overwrites = overwrites }
    }

    private func takesCodes(_ op: Op) -> Taken {
        switch op {
        case .linear(let op): return Taken(op.input, op.projections.map { matrix($0.weight).layout })
        case .headLinear: return Taken(overwrites: true)
        case .moe(let op):
            guard !op.routing.weighsInput else { return Taken(overwrites: true) }
            var taken = Taken(op.input, [matrix(op.gate).layout, matrix(op.up).layout])
            taken.overwrites = true
            return taken
        default: return Taken(overwrites: false)
        }
    }

    static let nothingPrepared: [Argument] = [.constant(nil), .constant(nil), .constant(nil)]

    /// Blocks (sub-groups of a work-group that prepares rows) that share a scale.
    static func sharing(_ columns: Int) -> Int { columns / preparedBlock }
    /// Columns that a sub-group prepares.
    static let preparedBlock = 32
}

extension WeightLayout {
    /// The different numbers of columns that share a scale of activations in products with these layouts.
    static func activationColumns(_ layouts: [WeightLayout]) -> [Int] {
        layouts.compactMap(\.activationColumns).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
