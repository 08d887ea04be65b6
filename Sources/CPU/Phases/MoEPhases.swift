internal import CCPU
internal import Compute
internal import Glibc

/// What the phases of one mixture share: which rows go to which expert, and their activations, grouped by expert.
///
/// A slot is one (row, chosen expert) pair. The slots of an expert are consecutive and start at a multiple of a tile, so
/// that each expert multiplies a range of slots.
@safe
final class Routing {
    let op: Op.MoE
    let experts: Int
    let hidden: Int
    let width: Int
    let input: PreparedInput
    let middle: PreparedInput
    let capacity: Int

    private(set) var slotCount = 0
    /// Row of each slot (of padding too).
    let rowOfSlot: UnsafeMutablePointer<Int32>
    /// `[rows, used]`: slot and share of a row's experts, by ascending expert.
    let slots: UnsafeMutablePointer<Int32>
    let shares: UnsafeMutablePointer<Float>
    private let chosen: UnsafeMutablePointer<Int32>
    /// Slots of each expert.
    private(set) var ranges: [Range<Int>]
    let gate: UnsafeMutablePointer<Float>
    let up: UnsafeMutablePointer<Float>
    let down: UnsafeMutablePointer<Float>
    private let limits: StepLimits

    init(_ op: Op.MoE, _ program: Program, weights: CPUWeights, limits: StepLimits) {
        self.op = op
        self.limits = limits
        experts = program.width(op.router)
        hidden = program[op.gate].rows
        width = program.width(op.input)
        let tile = Activations.tileRows
        capacity = (limits.rows * op.used + min(experts, limits.rows * op.used) * (tile - 1) + tile) / tile * tile
        func kind(_ weight: Weight) -> Activations.Kind { weights.matrices[weight.index]?.activationKind ?? .quantized }
        input = PreparedInput(columns: width, kind: kind(op.gate), domain: .all, capacity: capacity)
        middle = PreparedInput(columns: hidden, kind: kind(op.down), domain: .all, capacity: capacity)
        unsafe rowOfSlot = .allocate(capacity: capacity)
        unsafe slots = .allocate(capacity: limits.rows * op.used)
        unsafe shares = .allocate(capacity: limits.rows * op.used)
        unsafe chosen = .allocate(capacity: limits.rows * op.used)
        ranges = Array(repeating: 0..<0, count: experts)
        unsafe gate = .allocate(capacity: capacity * hidden)
        unsafe up = .allocate(capacity: capacity * hidden)
        unsafe down = .allocate(capacity: capacity * width)
    }

    deinit {
        unsafe [rowOfSlot, slots, chosen].forEach { unsafe $0.deallocate() }
        unsafe [shares, gate, up, down].forEach { unsafe $0.deallocate() }
    }

    /// Chooses the experts of a row: the best by router logit, ties to the lower index, in ascending order of index.
    func choose(_ row: Int, _ logits: UnsafePointer<Float>) {
        let used = op.used
        let best = unsafe chosen + row * used
        let share = unsafe shares + row * used
        var count = 0
        for expert in 0..<experts {
            var place = count
            while place > 0, unsafe logits[expert] > logits[Int(best[place - 1])] { place -= 1 }
            guard place < used else { continue }
            for index in stride(from: min(count, used - 1), to: place, by: -1) { unsafe best[index] = best[index - 1] }
            unsafe best[place] = Int32(expert)
            count = min(count + 1, used)
        }
        let top = unsafe logits[Int(best[0])]
        var sorted = unsafe UnsafeMutableBufferPointer(start: best, count: used)
        unsafe sorted.sort()
        var total: Float = 0
        switch op.routing {
        case .softmax: for expert in 0..<experts { total += unsafe expf(logits[expert] - top) }
        case .softmaxNormalised: for index in 0..<used { total += unsafe expf(logits[Int(best[index])] - top) }
        }
        for index in 0..<used { unsafe share[index] = expf(logits[Int(best[index])] - top) / total }
    }

    /// Gives every chosen expert its range of slots.
    func assign(rows: Int) {
        let tile = Activations.tileRows
        for expert in 0..<experts { ranges[expert] = 0..<0 }
        for index in 0..<rows * op.used {
            let expert = unsafe Int(chosen[index])
            ranges[expert] = 0..<ranges[expert].upperBound + 1
        }
        var next = 0
        for expert in 0..<experts where !ranges[expert].isEmpty {
            let count = ranges[expert].upperBound
            ranges[expert] = next..<next
            next += (count + tile - 1) / tile * tile
        }
        slotCount = next
        for slot in 0..<slotCount { unsafe rowOfSlot[slot] = 0 }
        for index in 0..<rows * op.used {
            let expert = unsafe Int(chosen[index])
            let slot = ranges[expert].upperBound
            unsafe rowOfSlot[slot] = Int32(index / op.used)
            unsafe slots[index] = Int32(slot)
            ranges[expert] = ranges[expert].lowerBound..<slot + 1
        }
        input.reshape(rows: slotCount)
        middle.reshape(rows: slotCount)
    }
}

/// Chooses experts and assigns slots, on one worker.
final class RoutePhase: Phase {
    private let routing: Routing

    init(_ routing: Routing) { self.routing = routing }

    func reset() {}

    func run(_ state: StepState, worker: Int) {
        guard worker == 0 else { return }
        for row in 0..<state.rows { unsafe routing.choose(row, state.row(routing.op.router, row)) }
        routing.assign(rows: state.rows)
    }
}

/// Prepares slots for the products that follow: the rows' inputs, or their gated hidden units.
final class SlotPhase: Phase {
    enum Source { case rows, hidden }

    private let routing: Routing
    private let source: Source
    private let counter = WorkCounter()

    init(_ routing: Routing, _ source: Source) {
        self.routing = routing
        self.source = source
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        let tile = Activations.tileRows
        while true {
            let first = counter.next() * tile
            guard first < routing.slotCount else { return }
            switch source {
            case .rows:
                unsafe routing.input.activations.fill(
                    rows: first..<first + tile, from: state.base(routing.op.input),
                    stride: state.stride(routing.op.input),
                    indices: routing.rowOfSlot)
            case .hidden:
                let offset = first * routing.hidden
                unsafe state.ops.pointee.gate(
                    routing.op.activation.kernelValue, routing.gate + offset, routing.up + offset,
                    routing.gate + offset,
                    Int64(tile * routing.hidden))
                unsafe routing.middle.activations.fill(
                    rows: first..<first + tile, from: routing.gate, stride: routing.hidden)
            }
        }
    }
}

/// Multiplies each expert's slots with its slice of one or two weight stacks.
@safe
final class ExpertPhase: Phase {
    enum Stage { case gateAndUp, down }

    private static let groupsPerTask = 16

    private let routing: Routing
    private let matrices: [(PackedMatrix, UnsafeMutablePointer<Float>, Int)]
    private let prepared: PreparedInput
    private let counter = WorkCounter()

    init(_ routing: Routing, _ stage: Stage, weights: CPUWeights) {
        func matrix(_ weight: Weight) -> PackedMatrix {
            guard let matrix = weights.matrices[weight.index] else {
                preconditionFailure("weight \(weight.index) was not loaded as a matrix")
            }
            return matrix
        }
        self.routing = routing
        switch stage {
        case .gateAndUp:
            prepared = routing.input
            unsafe matrices = [
                (matrix(routing.op.gate), routing.gate, routing.hidden),
                (matrix(routing.op.up), routing.up, routing.hidden),
            ]
        case .down:
            prepared = routing.middle
            unsafe matrices = [(matrix(routing.op.down), routing.down, routing.width)]
        }
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        var next = counter.next()
        var task = 0
        for expert in 0..<routing.experts where !routing.ranges[expert].isEmpty {
            for index in unsafe matrices.indices {
                let (matrix, output, stride) = unsafe matrices[index]
                for first in Swift::stride(from: 0, to: matrix.rowGroups, by: Self.groupsPerTask) {
                    defer { task += 1 }
                    guard task == next else { continue }
                    unsafe matrix.multiply(
                        prepared.activations, rows: slots(expert), expert: expert,
                        rowGroups: first..<min(first + Self.groupsPerTask, matrix.rowGroups), into: output,
                        stride: stride, scratch: state.scratch(worker))
                    next = counter.next()
                }
            }
        }
    }

    private func slots(_ expert: Int) -> Range<Int> { routing.ranges[expert] }
}

/// The weighted sum of each row's experts, in ascending order of expert.
struct ExpertSumKernel: RowKernel {
    let routing: Routing

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let used = routing.op.used
        for row in rows {
            let output = unsafe state.row(routing.op.output, row)
            unsafe output.update(repeating: 0, count: routing.width)
            for index in row * used..<(row + 1) * used {
                unsafe state.ops.pointee.add_scaled(
                    routing.down + Int(routing.slots[index]) * routing.width, routing.shares[index], output,
                    Int64(routing.width))
            }
        }
    }
}
