internal import CCPU
internal import Compute

/// Memory of the phases of a mixture. Layers of one shape take it in turn.
@safe
final class ExpertMemory {
    /// What a layer must agree on to share memory.
    struct Shape: Equatable {
        let experts: Int
        let used: Int
        let width: Int
        let hidden: Int
        /// What gates and ups read; one kind where both read the same.
        let inputKinds: [Activations.Kind]
        let hiddenKind: Activations.Kind
    }

    let shape: Shape
    /// Of each of the shape's kinds.
    let inputs: [PreparedInput]
    let middle: PreparedInput
    /// Row of each slot.
    let rowOfSlot: UnsafeMutablePointer<Int32>
    /// Expert of each tile of slots.
    let expertOfTile: UnsafeMutablePointer<Int32>
    /// Weight of each slot's expert.
    let shareOfSlot: UnsafeMutablePointer<Float>
    /// `[rows, used]`: slot, share and number of a row's experts, by ascending expert.
    let slots: UnsafeMutablePointer<Int32>
    let shares: UnsafeMutablePointer<Float>
    let chosen: UnsafeMutablePointer<Int32>
    /// What the choice of one row goes by, per expert, and the same of groups of experts.
    let ranks: UnsafeMutablePointer<Float>
    let groupRanks: UnsafeMutablePointer<Float>
    let order: UnsafeMutablePointer<Int32>
    /// `[slots, hidden]`
    let gate: UnsafeMutablePointer<Float>
    let up: UnsafeMutablePointer<Float>
    /// `[slots, width]`
    let down: UnsafeMutablePointer<Float>
    private let memory: [PageMemory]

    init(_ shape: Shape, rows: Int) throws(BackendError) {
        self.shape = shape
        let tile = Activations.tileRows
        let pairs = rows * shape.used
        let capacity = (pairs + min(shape.experts, pairs) * (tile - 1) + tile) / tile * tile
        var inputs: [PreparedInput] = []
        for kind in shape.inputKinds {
            inputs.append(try PreparedInput(columns: shape.width, kind: kind, domain: .all, capacity: capacity))
        }
        self.inputs = inputs
        middle = try PreparedInput(columns: shape.hidden, kind: shape.hiddenKind, domain: .all, capacity: capacity)
        var memory: [PageMemory] = []
        func reserve<T>(_ count: Int, of type: T.Type = T.self) throws(BackendError) -> UnsafeMutablePointer<T> {
            let part = try PageMemory(byteCount: count * MemoryLayout<T>.stride)
            memory.append(part)
            return unsafe part.base.assumingMemoryBound(to: T.self)
        }
        unsafe rowOfSlot = try reserve(capacity)
        unsafe expertOfTile = try reserve(capacity / tile)
        unsafe shareOfSlot = try reserve(capacity)
        unsafe ranks = try reserve(shape.experts)
        unsafe groupRanks = try reserve(shape.experts)
        unsafe order = try reserve(shape.experts)
        unsafe slots = try reserve(pairs)
        unsafe shares = try reserve(pairs)
        unsafe chosen = try reserve(pairs)
        unsafe gate = try reserve(capacity * shape.hidden)
        unsafe up = try reserve(capacity * shape.hidden)
        unsafe down = try reserve(capacity * shape.width)
        self.memory = memory
    }
}

/// What the phases of one mixture share: which rows go to which expert.
///
/// A slot is one (row, chosen expert) pair. The slots of an expert are consecutive and start at a multiple of a tile, so
/// that each expert multiplies a range of slots; those behind it up to the next multiple are empty.
@safe
final class Routing {
    let op: Op.MoE
    let memory: ExpertMemory
    private(set) var slotCount = 0
    /// Slots of each expert.
    private(set) var ranges: [Range<Int>]

    var experts: Int { memory.shape.experts }
    var hidden: Int { memory.shape.hidden }
    var width: Int { memory.shape.width }

    init(_ op: Op.MoE, _ memory: ExpertMemory) {
        self.op = op
        self.memory = memory
        ranges = Array(repeating: 0..<0, count: memory.shape.experts)
    }

    static func shape(_ op: Op.MoE, _ program: Program, _ weights: CPUWeights) -> ExpertMemory.Shape {
        func kind(_ weight: Weight) -> Activations.Kind {
            weights.matrices[weight.index]?.activationKind() ?? .quantized
        }
        let kinds = [kind(op.gate), kind(op.up)]
        return .init(
            experts: program.width(op.router), used: op.used, width: program.width(op.input),
            hidden: program[op.gate].rows, inputKinds: kinds[0] == kinds[1] ? [kinds[0]] : kinds,
            hiddenKind: kind(op.down))
    }

    /// The slots of the expert whose tile starts at a slot.
    func slots(around slot: Int) -> Range<Int> {
        unsafe ranges[Int(memory.expertOfTile[slot / Activations.tileRows])]
    }

    /// Gives every chosen expert its range of slots.
    func assign(rows: Int) {
        let tile = Activations.tileRows
        for expert in 0..<experts { ranges[expert] = 0..<0 }
        for index in 0..<rows * op.used {
            let expert = unsafe Int(memory.chosen[index])
            ranges[expert] = 0..<ranges[expert].upperBound + 1
        }
        var next = 0
        for expert in 0..<experts where !ranges[expert].isEmpty {
            let tiles = (ranges[expert].upperBound + tile - 1) / tile
            ranges[expert] = next..<next
            for index in next / tile..<next / tile + tiles { unsafe memory.expertOfTile[index] = Int32(expert) }
            next += tiles * tile
        }
        slotCount = next
        for index in 0..<rows * op.used {
            let expert = unsafe Int(memory.chosen[index])
            let slot = ranges[expert].upperBound
            unsafe memory.rowOfSlot[slot] = Int32(index / op.used)
            unsafe memory.shareOfSlot[slot] = memory.shares[index]
            unsafe memory.slots[index] = Int32(slot)
            ranges[expert] = ranges[expert].lowerBound..<slot + 1
        }
        for input in memory.inputs { input.reshape(rows: slotCount) }
        memory.middle.reshape(rows: slotCount)
    }
}

/// Chooses experts and assigns slots, on one worker.
final class RoutePhase: Phase {
    private let routing: Routing

    init(_ routing: Routing) { self.routing = routing }

    func reset() {}

    func run(_ state: StepState, worker: Int) {
        guard worker == 0 else { return }
        let bias = unsafe state.vector(routing.op.choiceBias)
        for row in 0..<state.rows { unsafe routing.choose(row, state.row(routing.op.router, row), bias: bias) }
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
            let part = routing.slots(around: first)
            let slots = first..<min(first + tile, part.upperBound)
            switch source {
            case .rows where routing.op.routing.weighsInput:
                // The memory of the last product's output serves until then.
                for slot in slots {
                    unsafe state.ops.pointee.scale(
                        state.row(routing.op.input, Int(routing.memory.rowOfSlot[slot])),
                        routing.memory.shareOfSlot[slot], routing.memory.down + slot * routing.width,
                        Int64(routing.width))
                }
                for input in routing.memory.inputs {
                    unsafe input.activations.fill(
                        rows: slots, of: part, from: routing.memory.down, stride: routing.width)
                }
            case .rows:
                for input in routing.memory.inputs {
                    unsafe input.activations.fill(
                        rows: slots, of: part, from: state.base(routing.op.input),
                        stride: state.stride(routing.op.input), indices: routing.memory.rowOfSlot)
                }
            case .hidden:
                let offset = first * routing.hidden
                unsafe state.ops.pointee.gate(
                    routing.op.activation.kernelValue, routing.memory.gate + offset, routing.memory.up + offset,
                    routing.memory.gate + offset,
                    Int64(slots.count * routing.hidden))
                unsafe routing.memory.middle.activations.fill(
                    rows: slots, of: part, from: routing.memory.gate, stride: routing.hidden)
            }
        }
    }
}

/// Multiplies each expert's slots with its slice of one or two weight stacks.
final class ExpertPhase: Phase {
    enum Stage { case gateAndUp, down }

    private static let groupsPerTask = 16

    @safe
    private struct Product {
        let matrix: PackedMatrix
        let bias: Weight?
        let input: PreparedInput
        let output: UnsafeMutablePointer<Float>
        let stride: Int
    }

    private let routing: Routing
    private let products: [Product]
    private let counter = WorkCounter()

    init(_ routing: Routing, _ stage: Stage, weights: CPUWeights) {
        func product(
            _ weight: Weight, _ bias: Weight?, of input: PreparedInput, into output: UnsafeMutablePointer<Float>,
            _ stride: Int
        ) -> Product {
            guard let matrix = weights.matrices[weight.index] else {
                preconditionFailure("weight \(weight.index) was not loaded as a matrix")
            }
            return unsafe Product(matrix: matrix, bias: bias, input: input, output: output, stride: stride)
        }
        self.routing = routing
        let (op, memory) = (routing.op, routing.memory)
        products =
            switch stage {
            case .gateAndUp:
                unsafe [
                    product(op.gate, op.biases?.gate, of: memory.inputs[0], into: memory.gate, routing.hidden),
                    product(
                        op.up, op.biases?.up, of: memory.inputs[memory.inputs.count - 1], into: memory.up,
                        routing.hidden),
                ]
            case .down:
                unsafe [product(op.down, op.biases?.down, of: memory.middle, into: memory.down, routing.width)]
            }
    }

    func reset() { counter.reset() }

    func run(_ state: StepState, worker: Int) {
        var next = counter.next()
        var task = 0
        for expert in 0..<routing.experts where !routing.ranges[expert].isEmpty {
            let slots = routing.ranges[expert]
            for product in products {
                let matrix = product.matrix
                for first in Swift::stride(from: 0, to: matrix.rowGroups, by: Self.groupsPerTask) {
                    defer { task += 1 }
                    guard task == next else { continue }
                    unsafe matrix.multiply(
                        product.input.activations, of: slots, expert: expert,
                        rowGroups: first..<min(first + Self.groupsPerTask, matrix.rowGroups), into: product.output,
                        stride: product.stride,
                        bias: state.vector(product.bias).map { unsafe $0 + expert * matrix.rows },
                        scratch: state.scratch(worker))
                    next = counter.next()
                }
            }
        }
    }
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
                    routing.memory.down + Int(routing.memory.slots[index]) * routing.width,
                    routing.op.routing.weighsInput ? 1 : routing.memory.shares[index], output, Int64(routing.width))
            }
        }
    }
}
