internal import Compute

/// The rows that were last prepared for products of integer formats (``StepMemory/prepared``): an operation may prepare what it writes,
/// and products of one input need it once.
final class Preparation {
    /// Whose rows they are; `nil` for anything else.
    var value: Value?
}

/// Who needs what an operation writes as codes.
enum CodeReaders {
    case none
    /// Some readers take floats.
    case some
    case all
}

extension Lowering {
    /// Whether the operation at `index` should prepare its result `value` itself: the next one that needs codes reads it.
    func codeReaders(of value: Value, after index: Int) -> CodeReaders {
        var found = false
        var all = value != program.logits
        var first = true
        for op in program.ops[(index + 1)...] {
            let takes = takesCodes(op)
            if op.reads.contains(value) {
                let input = takes.input == value
                if first, input { found = true }
                if !first || !input || !takes.only || op.reads.filter({ $0 == value }).count > 1 { all = false }
            }
            // From here on the memory holds other rows.
            if let other = takes.input, other != value { first = false }
            if takes.overwrites { first = false }
        }
        return found ? all ? .all : .some : .none
    }

    /// The value that an operation reads as codes, whether it reads it as nothing else, and whether it prepares others besides.
    private func takesCodes(_ op: Op) -> (input: Value?, only: Bool, overwrites: Bool) {
        switch op {
        case .linear(let op):
            let integer = op.projections.map { matrix($0.weight).layout.isInteger }
            return (integer.contains(true) ? op.input : nil, !integer.contains(false), false)
        case .headLinear: return (nil, false, true)
        case .moe(let op):
            let layouts = [matrix(op.gate).layout, matrix(op.up).layout]
            guard !op.routing.weighsInput, layouts.contains(where: \.isInteger) else { return (nil, false, true) }
            return (op.input, layouts.allSatisfy(\.isInteger), true)
        default: return (nil, false, false)
        }
    }

    /// Where an operation puts rows that it prepares.
    var preparedArguments: [Argument] {
        let prepared = memory.prepared
        return [.write(prepared.codes), .write(prepared.scales), .write(prepared.sums)]
    }

    static let nothingPrepared: [Argument] = [.constant(nil), .constant(nil), .constant(nil)]
}
