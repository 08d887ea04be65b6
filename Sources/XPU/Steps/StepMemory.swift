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
    /// Rows of activations as codes, scales and sums of codes.
    private let codes: Buffer
    private let scales: Buffer
    private let sums: Buffer
    private let experts: ExpertBuffers?

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
        codes = try Buffer(context, bytes: sizes.prepared)
        scales = try Buffer(context, bytes: sizes.prepared / 8)
        sums = try Buffer(context, bytes: sizes.prepared / 4)
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

    var prepared: (codes: Slice, scales: Slice, sums: Slice) {
        (codes.memory.slice(), scales.memory.slice(), sums.memory.slice())
    }

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
            var experts: Experts?
            for op in program.ops {
                switch op {
                case .linear(let op): prepared = max(prepared, program.width(op.input) * rows(op.input.index))
                case .headLinear(let op): prepared = max(prepared, program.width(op.input) * rows(op.input.index))
                case .moe(let op):
                    let slots = rows(op.input.index) * op.used
                    let hidden = program[op.gate].rows
                    let width = program.width(op.input)
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
            self.experts = experts
        }

        var total: Int {
            var total = values.reduce(0, +) + prepared / 8 * 11
            if let experts {
                total += experts.slots * (12 + (2 * experts.hidden + experts.width) * 4) + experts.groupBytes
            }
            return total
        }
    }
}
