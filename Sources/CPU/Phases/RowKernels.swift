internal import CCPU
internal import Compute
internal import Glibc

struct EmbedKernel: RowKernel {
    let op: Op.Embed
    let table: EmbeddingTable

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        for row in rows {
            let output = unsafe state.row(op.output, row)
            unsafe table.decode(Int(state.tokens[row]), into: output)
            if op.scale != 1 { unsafe state.ops.pointee.scale(output, op.scale, output, Int64(table.columns)) }
        }
    }
}

struct NormKernel: RowKernel {
    let op: Op.Norm

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let length = state.program.width(op.input) / op.groups
        let (weights, bias) = unsafe (state.vector(op.weight), state.vector(op.bias))
        let weightPerGroup = op.weight.map { state.program[$0].count > length } ?? false
        for row in rows {
            for group in 0..<op.groups {
                let input = unsafe state.row(op.input, row) + group * length
                let output = unsafe state.row(op.output, row) + group * length
                let weight = unsafe weights.map { unsafe $0 + (weightPerGroup ? group * length : 0) }
                switch op.kind {
                case .rms: unsafe state.ops.pointee.rms_norm(input, weight, op.epsilon, output, Int64(length))
                case .layer:
                    unsafe state.ops.pointee.layer_norm(input, weight, bias, op.epsilon, output, Int64(length))
                }
            }
        }
    }
}

/// Cosines and sines of each row's position, for one rope table.
struct RopeAnglesKernel: RowKernel {
    let index: Int
    let table: RopeTable

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let pairs = table.inverseFrequencies.count
        let cosines = unsafe state.rope(index)
        let sines = unsafe cosines + state.limits.rows * pairs
        for row in rows {
            let position = unsafe Double(state.positions[row])
            for pair in 0..<pairs {
                let angle = position * table.inverseFrequencies[pair]
                unsafe cosines[row * pairs + pair] = Float(cos(angle)) * table.magnitude
                unsafe sines[row * pairs + pair] = Float(sin(angle)) * table.magnitude
            }
        }
    }
}

struct RopeKernel: RowKernel {
    let op: Op.Rope
    let table: RopeTable

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let pairs = table.inverseFrequencies.count
        let length = state.program.width(op.input) / op.heads
        let cosines = unsafe state.rope(op.table)
        let sines = unsafe cosines + state.limits.rows * pairs
        for row in rows {
            for head in 0..<op.heads {
                let input = unsafe state.row(op.input, row) + head * length
                let output = unsafe state.row(op.output, row) + head * length
                unsafe output.update(from: input, count: op.offset)
                unsafe state.ops.pointee.rope(
                    input + op.offset, cosines + row * pairs, sines + row * pairs, Int64(pairs),
                    Int64(length - op.offset), table.pairing == .halves, output + op.offset)
            }
        }
    }
}

struct JoinKernel: RowKernel {
    let op: Op.Join

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        for row in rows {
            var output = unsafe state.row(op.output, row)
            for head in 0..<op.heads {
                for piece in op.pieces {
                    let length = state.program.width(piece.value) / piece.heads
                    let start = (piece.heads == 1 ? 0 : head) * length + piece.range.lowerBound
                    unsafe output.update(from: state.row(piece.value, row) + start, count: piece.range.count)
                    unsafe output += piece.range.count
                }
            }
        }
    }
}

struct StoreKernel: RowKernel {
    let op: Op.Store
    let shape: CacheLayout.Layer

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        var layer = unsafe state.cache.layer(op.layer)
        // Head by head: the keys of a block lie dimension by dimension, so all rows of a tile write to the same lines.
        for head in 0..<shape.kvHeads {
            for row in rows {
                let position = unsafe Int(state.positions[row])
                let sequence = unsafe state.sequences[Int(state.rowSequences[row])]
                let block = state.blockTables[sequence.table(of: shape) + position / Int(CPU_KV_BLOCK)]
                let base = unsafe layer.pool + Int(block) * Int(layer.block_stride) + head * Int(layer.head_stride)
                unsafe state.ops.pointee.kv_store(
                    &layer, base, Int32(position % Int(CPU_KV_BLOCK)),
                    state.row(op.key, row) + head * shape.keyLength,
                    state.row(op.value, row) + head * shape.valueLength)
            }
        }
    }
}

/// Prepares the input of matrix products: the columns of a value from `firstColumn` on.
struct PrepareKernel: RowKernel {
    let input: Value
    var firstColumn = 0
    let prepared: PreparedInput

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        unsafe prepared.activations.fill(
            rows: rows, from: state.base(input) + firstColumn, stride: state.stride(input))
    }
}

struct GateKernel: RowKernel {
    let op: Op.Gate

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let width = Int64(state.program.width(op.output))
        let gateWidth = state.program.width(op.gate)
        for row in rows {
            let (gate, up, output) = unsafe (state.row(op.gate, row), state.row(op.up, row), state.row(op.output, row))
            if gateWidth == width {
                unsafe state.ops.pointee.gate(op.activation.kernelValue, gate, up, output, width)
            } else {
                var factor: Float = 0
                unsafe state.ops.pointee.activate(op.activation.kernelValue, gate, &factor, 1)
                unsafe state.ops.pointee.scale(up, factor, output, width)
            }
        }
    }
}

struct ActivateKernel: RowKernel {
    let op: Op.Activate

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let width = Int64(state.program.width(op.output))
        for row in rows {
            unsafe state.ops.pointee.activate(
                op.activation.kernelValue, state.row(op.input, row), state.row(op.output, row), width)
        }
    }
}

struct AddKernel: RowKernel {
    let op: Op.Add

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let width = Int64(state.program.width(op.output))
        for row in rows {
            unsafe state.ops.pointee.add(
                state.row(op.left, row), state.row(op.right, row), state.row(op.output, row), width)
        }
    }
}

struct ScaleKernel: RowKernel {
    let op: Op.Scale

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let width = Int64(state.program.width(op.output))
        for row in rows {
            let factor = unsafe op.growth == nil ? op.factor : Float(op.factor(at: Int(state.positions[row])))
            unsafe state.ops.pointee.scale(state.row(op.input, row), factor, state.row(op.output, row), width)
        }
    }
}

struct SoftcapKernel: RowKernel {
    let op: Op.Softcap

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let width = Int64(state.program.width(op.output))
        for row in rows {
            unsafe state.ops.pointee.softcap(state.row(op.input, row), op.cap, state.row(op.output, row), width)
        }
    }
}

/// Gathers the rows whose logits are wanted.
struct OutputRowsKernel: RowKernel {
    let op: Op.OutputRows

    func run(_ state: StepState, rows: Range<Int>, worker: Int) {
        let width = state.program.width(op.input)
        for row in rows {
            unsafe state.row(op.output, row).update(
                from: state.row(op.input, Int(state.outputIndices[row])), count: width)
        }
    }
}

extension Op.Activation {
    var kernelValue: cpu_activation {
        switch self {
        case .silu: CPU_SILU
        case .geluTanh: CPU_GELU_TANH
        case .gelu: CPU_GELU
        case .relu: CPU_RELU
        case .reluSquared: CPU_RELU_SQUARED
        case .sigmoid: CPU_SIGMOID
        case .clampedSwish: CPU_CLAMPED_SWISH
        }
    }
}
