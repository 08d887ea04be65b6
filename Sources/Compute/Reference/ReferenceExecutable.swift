internal import Glibc
internal import Quant

/// Runs a program op by op over arrays.
final class ReferenceExecutable: Executable {
    let program: Program
    let weights: ReferenceWeights
    let cache: ReferenceCache
    /// `[rows, width]` of each value written so far in this step.
    var values: [[Float]]

    init(_ program: Program, _ weights: ReferenceWeights, _ configuration: KVCacheConfiguration) {
        self.program = program
        self.weights = weights
        cache = ReferenceCache(program.cache, configuration)
        values = Array(repeating: [], count: program.widths.count)
    }

    func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError) {
        for op in program.ops { run(op, inputs) }
        let logits = values[program.logits.index]
        for (index, logit) in logits.enumerated() { unsafe outputs.buffer[index] = logit }
    }

    private func run(_ op: Op, _ inputs: borrowing StepInputs) {
        switch op {
        case .embed(let op):
            let table = weights.matrices[op.table.index]
            values[op.output.index] = inputs.tokens.flatMap { token in
                table.values[Int(token) * table.columns..<(Int(token) + 1) * table.columns].map { $0 * op.scale }
            }
        case .norm(let op): norm(op)
        case .linear(let op):
            for projection in op.projections { project(op.input, projection) }
        case .headLinear(let op): headLinear(op)
        case .join(let op): join(op)
        case .rope(let op): rope(op, inputs)
        case .store(let op): cache.store(self[op.key], self[op.value], layer: op.layer, inputs)
        case .attention(let op): attention(op, inputs)
        case .gate(let op):
            let group = self[op.up].count / max(1, self[op.gate].count)
            values[op.output.index] = self[op.up].enumerated().map { op.activation.gate(self[op.gate][$0 / group], $1) }
        case .activate(let op): values[op.output.index] = self[op.input].map { op.activation($0) }
        case .moe(let op): moe(op)
        case .add(let op): values[op.output.index] = zip(self[op.left], self[op.right]).map(+)
        case .scale(let op): scale(op, inputs)
        case .softcap(let op):
            values[op.output.index] = self[op.input].map { op.cap * Float(tanh(Double($0 / op.cap))) }
        case .outputRows(let op):
            let width = program.width(op.input)
            values[op.output.index] = inputs.outputRows.flatMap { row in
                self[op.input][Int(row) * width..<(Int(row) + 1) * width]
            }
        }
    }

    subscript(value: Value) -> [Float] { values[value.index] }
}

extension ReferenceExecutable {
    private func norm(_ op: Op.Norm) {
        let length = program.width(op.input) / op.groups
        var out: [Float] = []
        out.reserveCapacity(self[op.input].count)
        for start in stride(from: 0, to: self[op.input].count, by: length) {
            let part = self[op.input][start..<start + length].map(Double.init)
            let mean = op.kind == .layer ? part.reduce(0, +) / Double(length) : 0
            let variance = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length)
            let factor = 1 / (variance + Double(op.epsilon)).squareRoot()
            for (index, x) in part.enumerated() {
                var y = (x - mean) * factor
                if let weight = op.weight.map({ weights.matrices[$0.index].values }) {
                    y *= Double(weight[(start + index) % weight.count])
                }
                if let bias = op.bias { y += Double(weights.matrices[bias.index].values[index]) }
                out.append(Float(y))
            }
        }
        values[op.output.index] = out
    }

    private func project(_ input: Value, _ projection: Op.Linear.Projection) {
        let matrix = weights.matrices[projection.weight.index]
        let rows = self[input].count / matrix.columns
        var out = [Float](repeating: 0, count: rows * matrix.rows)
        for row in 0..<rows {
            let x = Array(self[input][row * matrix.columns..<(row + 1) * matrix.columns])
            for output in 0..<matrix.rows {
                var sum = matrix.dot(output, x)
                if let bias = projection.bias { sum += Double(weights.matrices[bias.index].values[output]) }
                if let residual = projection.residual { sum += Double(self[residual][row * matrix.rows + output]) }
                out[row * matrix.rows + output] = Float(sum)
            }
        }
        values[projection.output.index] = out
    }

    private func headLinear(_ op: Op.HeadLinear) {
        let matrix = weights.matrices[op.weight.index]
        var out: [Float] = []
        for (index, start) in stride(from: 0, to: self[op.input].count, by: matrix.columns).enumerated() {
            let x = Array(self[op.input][start..<start + matrix.columns])
            out += (0..<matrix.rows).map { Float(matrix.dot(index % op.heads * matrix.rows + $0, x)) }
        }
        values[op.output.index] = out
    }

    private func join(_ op: Op.Join) {
        let pieces = op.pieces
        let rows = self[pieces[0].value].count / program.width(pieces[0].value)
        var out: [Float] = []
        for row in 0..<rows {
            for head in 0..<op.heads {
                for piece in pieces {
                    let length = program.width(piece.value) / piece.heads
                    let start = (row * piece.heads + (piece.heads == 1 ? 0 : head)) * length
                    out += self[piece.value][start + piece.range.lowerBound..<start + piece.range.upperBound]
                }
            }
        }
        values[op.output.index] = out
    }

    private func scale(_ op: Op.Scale, _ inputs: borrowing StepInputs) {
        guard op.growth != nil else {
            values[op.output.index] = self[op.input].map { $0 * op.factor }
            return
        }
        let width = program.width(op.input)
        var out = self[op.input]
        forEachRow(inputs) { row, position, _ in
            for index in row * width..<(row + 1) * width { out[index] *= Float(op.factor(at: position)) }
        }
        values[op.output.index] = out
    }

    private func rope(_ op: Op.Rope, _ inputs: borrowing StepInputs) {
        let table = program.ropes[op.table]
        let width = program.width(op.input)
        let headLength = width / op.heads
        let pairs = table.inverseFrequencies.count
        var out = self[op.input]
        forEachRow(inputs) { row, position, _ in
            for head in 0..<op.heads {
                let base = row * width + head * headLength + op.offset
                for pair in 0..<pairs {
                    let (i, j) =
                        switch table.pairing {
                        case .interleaved: (base + 2 * pair, base + 2 * pair + 1)
                        case .halves: (base + pair, base + pair + pairs)
                        }
                    let angle = Double(position) * table.inverseFrequencies[pair]
                    let (c, s) = (cos(angle) * Double(table.magnitude), sin(angle) * Double(table.magnitude))
                    let (x, y) = (Double(out[i]), Double(out[j]))
                    out[i] = Float(x * c - y * s)
                    out[j] = Float(x * s + y * c)
                }
            }
        }
        values[op.output.index] = out
    }

    private func attention(_ op: Op.Attention, _ inputs: borrowing StepInputs) {
        let layer = program.cache.layers[op.layer]
        let group = op.heads / layer.kvHeads
        let query = self[op.query]
        var out = [Float](repeating: 0, count: query.count / layer.keyLength * layer.valueLength)
        forEachRow(inputs) { row, position, sequence in
            let blocks = inputs.blockTables[sequence.table(of: layer)...]
            let first = layer.firstVisible(from: position)
            for head in 0..<op.heads {
                let q = query[(row * op.heads + head) * layer.keyLength..<(row * op.heads + head + 1) * layer.keyLength]
                let entries = (first...position).map { cache.entry(op.layer, blocks, $0, kvHead: head / group) }
                var scores = entries.map { entry in
                    zip(q, entry.key).reduce(0) { $0 + Double($1.0) * Double($1.1) } * Double(op.scale)
                }
                if let cap = op.softcap.map(Double.init) { scores = scores.map { cap * tanh($0 / cap) } }
                let sink = op.sinks.map { Double(weights.matrices[$0.index].values[head]) }
                let top = max(scores.max() ?? 0, sink ?? -.infinity)
                let shares = scores.map { exp($0 - top) }
                let sum = shares.reduce(0, +) + (sink.map { exp($0 - top) } ?? 0)
                let target = (row * op.heads + head) * layer.valueLength
                for index in 0..<layer.valueLength {
                    let mix = zip(shares, entries).reduce(0) { $0 + $1.0 * Double($1.1.value[index]) }
                    out[target + index] = Float(mix / sum)
                }
            }
        }
        values[op.output.index] = out
    }

    private func moe(_ op: Op.MoE) {
        let (gate, up, down) = (
            weights.matrices[op.gate.index], weights.matrices[op.up.index], weights.matrices[op.down.index]
        )
        func bias(_ weight: Weight?, _ index: Int) -> Double {
            weight.map { Double(weights.matrices[$0.index].values[index]) } ?? 0
        }
        let choiceBias = op.choiceBias.map { weights.matrices[$0.index].values }
        let experts = program.width(op.router)
        let width = program.width(op.input)
        let rows = self[op.input].count / width
        var out: [Float] = []
        for row in 0..<rows {
            let x = Array(self[op.input][row * width..<(row + 1) * width])
            let logits = Array(self[op.router][row * experts..<(row + 1) * experts])
            var sum = [Double](repeating: 0, count: width)
            for (expert, weight) in op.routing.choose(logits, bias: choiceBias, op.used) {
                let x = op.routing.weighsInput ? x.map { $0 * weight } : x
                let hidden = (expert * gate.rows..<(expert + 1) * gate.rows).map { unit in
                    op.activation.gate(
                        Float(gate.dot(unit, x) + bias(op.biases?.gate, unit)),
                        Float(up.dot(unit, x) + bias(op.biases?.up, unit)))
                }
                for unit in 0..<width {
                    let y = down.dot(expert * width + unit, hidden) + bias(op.biases?.down, expert * width + unit)
                    sum[unit] += op.routing.weighsInput ? y : Double(weight) * y
                }
            }
            out += sum.map { Float($0) }
        }
        values[op.output.index] = out
    }

    /// Calls `body` with each row's index, position and sequence.
    private func forEachRow(_ inputs: borrowing StepInputs, _ body: (Int, Int, StepInputs.Sequence) -> Void) {
        for sequence in inputs.sequences {
            for index in 0..<sequence.rowCount {
                body(sequence.firstRow + index, sequence.firstPosition + index, sequence)
            }
        }
    }
}

extension ReferenceWeights.Matrix {
    fileprivate func dot(_ row: Int, _ x: [Float]) -> Double {
        var sum = 0.0
        for column in 0..<columns { sum += Double(values[row * columns + column]) * Double(x[column]) }
        return sum
    }
}
