internal import Compute

/// Device memory of a program's steps: values, prepared inputs of products, and what the experts of a mixture pass on. All of it is
/// taken when the program is compiled.
final class StepMemory {
    private final class Buffer {
        let memory: Memory
        init(_ context: Context, bytes: Int) throws(XPUError) {
            memory = try Memory(context, .device, byteCount: bytes)
        }
    }

    /// Row 0 of each buffer of values.
    private let values: [Buffer]
    private let plan: BufferPlan
    private let codes: CodeBuffers
    /// Of rows that a launch prepares while others of its work-groups still read ``codes``.
    private let finishedCodes: CodeBuffers
    private let arrivalCounts: Buffer
    private let experts: ExpertBuffers?

    private final class CodeBuffers {
        let codes: Buffer
        let scales: Buffer
        let sums: Buffer

        init(_ context: Context, values: Int) throws(XPUError) {
            codes = try Buffer(context, bytes: values)
            scales = try Buffer(context, bytes: values / 8)
            sums = try Buffer(context, bytes: values / 4)
        }

        var rows: PreparedRows {
            PreparedRows(codes: codes.memory.slice(), scales: scales.memory.slice(), sums: sums.memory.slice())
        }
    }

    private final class ExpertBuffers {
        let chosen: Buffer
        let order: Buffer
        let groups: Buffer
        let shares: Buffer
        let gate: Buffer
        let up: Buffer
        let down: Buffer

        init(_ context: Context, _ size: Sizes.Experts) throws(XPUError) {
            chosen = try Buffer(context, bytes: size.slots * 4)
            order = try Buffer(context, bytes: size.slots * 4)
            groups = try Buffer(context, bytes: size.groupBytes)
            shares = try Buffer(context, bytes: size.slots * 4)
            gate = try Buffer(context, bytes: size.slots * size.hidden * 4)
            up = try Buffer(context, bytes: size.slots * size.hidden * 4)
            down = try Buffer(context, bytes: size.slots * size.width * 4)
        }
    }

    init(_ context: Context, _ sizes: Sizes) throws(XPUError) {
        plan = sizes.plan
        var values: [Buffer] = []
        for bytes in sizes.values { values.append(try Buffer(context, bytes: bytes)) }
        self.values = values
        codes = try CodeBuffers(context, values: sizes.prepared)
        finishedCodes = try CodeBuffers(context, values: sizes.finished)
        arrivalCounts = try Buffer(context, bytes: sizes.arrivalBytes)
        if let size = sizes.experts { experts = try ExpertBuffers(context, size) } else { experts = nil }
    }

    func slice(_ value: Value) -> Slice {
        guard let buffer = plan.buffer[value.index] else {
            preconditionFailure("value \(value.index) is never written")
        }
        return values[buffer].memory.slice()
    }

    /// Floats from one row of a value to the next.
    func stride(_ value: Value) -> Int { plan.buffer[value.index].map { plan.widths[$0] } ?? 0 }

    /// Where rows are prepared: by launches of their own, and by the last work-groups of a product that may still read the former.
    var prepared: PreparedRows { codes.rows }
    var finished: PreparedRows { finishedCodes.rows }

    /// Counts of work-groups that are done, zero between launches (kernels/finish.h).
    var arrivals: Slice { arrivalCounts.memory.slice() }
    var arrivalBytes: Int { arrivalCounts.memory.byteCount }

    /// Slots (a row's choices) by expert, and the groups of slots that products take together.
    var grouping: (order: Slice, groups: Slice) {
        guard let experts else { preconditionFailure("the program has no mixture") }
        return (experts.order.memory.slice(), experts.groups.memory.slice())
    }

    /// A row's chosen experts and their shares; the experts' gate, up and down products, by row and choice.
    var mixture: (chosen: Slice, shares: Slice, gate: Slice, up: Slice, down: Slice) {
        guard let experts else { preconditionFailure("the program has no mixture") }
        return (
            experts.chosen.memory.slice(), experts.shares.memory.slice(), experts.gate.memory.slice(),
            experts.up.memory.slice(), experts.down.memory.slice()
        )
    }

    /// Bytes of each part, known before anything is allocated.
    struct Sizes {
        struct Experts {
            var slots = 0
            var hidden = 0
            var width = 0
            var count = 0

            var groupBytes: Int { (1 + 3 * Self.groups(slots: slots, experts: count)) * 4 }

            /// The most groups of `groupRows` slots of one expert.
            static func groups(slots: Int, experts: Int) -> Int { min(slots, slots / groupRows + experts) }
            static let groupRows = 8
        }

        let plan: BufferPlan
        let values: [Int]
        /// Codes of the widest prepared input.
        let prepared: Int
        /// Of those that a product of one row prepares, and how many of its results are counted.
        let finished: Int
        var arrivalBytes: Int { (finished / Lowering.preparedBlock + 1) * 4 }
        let experts: Experts?

        init(_ program: Program, _ weights: XPUWeights, limits: StepLimits) {
            plan = BufferPlan(program)
            let domains = RowDomain.of(program)
            let (plan, rowLimits) = (plan, limits)
            func rows(_ value: Int) -> Int { domains[value] == .all ? rowLimits.rows : rowLimits.outputRows }
            values = plan.widths.indices.map { buffer in
                let held = program.widths.indices.filter { plan.buffer[$0] == buffer }
                return plan.widths[buffer] * (held.map(rows).max() ?? 0) * 4
            }
            var prepared = 0
            var finished = 0
            var experts: Experts?
            for op in program.ops {
                switch op {
                case .gate(let op): finished = max(finished, program.width(op.output))
                case .linear(let op): prepared = max(prepared, program.width(op.input) * rows(op.input.index))
                case .headLinear(let op): prepared = max(prepared, program.width(op.input) * rows(op.input.index))
                case .moe(let op):
                    let slots = rows(op.input.index) * op.used
                    let hidden = program[op.gate].rows
                    let width = program.width(op.input)
                    let alone = min(slots, Lowering.groupedSlots(experts: program.width(op.router)) - 1)
                    finished = max(finished, alone * hidden)
                    prepared = max(
                        prepared, (op.routing.weighsInput ? slots : rows(op.input.index)) * width, hidden * slots)
                    let known = experts ?? Experts()
                    experts = Experts(
                        slots: max(known.slots, slots), hidden: max(known.hidden, hidden),
                        width: max(known.width, width), count: max(known.count, program.width(op.router)))
                default: break
                }
            }
            self.prepared = prepared
            self.finished = finished
            self.experts = experts
        }

        var total: Int {
            var total = values.reduce(0, +) + (prepared + finished) / 8 * 11 + arrivalBytes
            if let experts {
                total += experts.slots * (12 + (2 * experts.hidden + experts.width) * 4) + experts.groupBytes
            }
            return total
        }
    }
}

/// Rows as codes, with their scales and sums of codes.
struct PreparedRows: Hashable {
    let codes: Slice
    let scales: Slice
    let sums: Slice

    /// For kernels that prepare rows.
    var written: [Argument] { [.write(codes), .write(scales), .write(sums)] }
    var read: [Argument] { [.read(codes), .read(scales), .read(sums)] }
}
