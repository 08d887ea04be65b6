package import Quant

/// Where the time of steps went, operation by operation, and what the operations had to read and compute at least.
package struct Profile: Sendable {
    package struct Entry: Sendable {
        package var seconds: Double
        package var cost: OpCost

        package init(seconds: Double = 0, cost: OpCost = OpCost()) {
            self.seconds = seconds
            self.cost = cost
        }

        package static func + (a: Entry, b: Entry) -> Entry {
            Entry(seconds: a.seconds + b.seconds, cost: a.cost + b.cost)
        }
    }

    package let program: Program
    /// By operation of the program.
    package private(set) var entries: [Entry]
    /// Seconds of whole steps.
    package private(set) var seconds = 0.0
    package private(set) var steps = 0
    private let formats: [Format?]
    private let cache: Format
    private let domains: [RowDomain]

    /// - Parameters:
    ///   - formats: Of each weight of the program, by index.
    ///   - cache: Of keys and values.
    package init(_ program: Program, formats: [Format?], cache: Format) {
        self.program = program
        self.formats = formats
        self.cache = cache
        entries = Array(repeating: Entry(), count: program.ops.count)
        domains = RowDomain.of(program)
    }

    /// Seconds that belong to no operation.
    package var otherSeconds: Double { max(0, seconds - entries.reduce(0) { $0 + $1.seconds }) }

    /// The rows of the values that an operation writes.
    package func domain(of op: Op) -> RowDomain {
        (op.writes.first ?? op.reads.first).map { domains[$0.index] } ?? .all
    }

    /// Adds a step.
    ///
    /// - Parameters:
    ///   - seconds: Of the whole step.
    ///   - times: Seconds of each operation.
    package mutating func add(_ inputs: borrowing StepInputs, seconds: Double, times: [Double]) {
        precondition(times.count == entries.count)
        self.seconds += seconds
        steps += 1
        for (index, op) in program.ops.enumerated() {
            entries[index].seconds += times[index]
            entries[index].cost += cost(of: op, inputs)
        }
    }
}

/// Bytes and operations that a step cannot do without, whatever the device.
package struct OpCost: Hashable, Sendable {
    /// Weights in their file's format, keys and values in the cache's, and the input values.
    package var bytes: Int
    /// Multiplications and additions of matrix products and attention; what is done element by element does not count.
    package var operations: Int

    package init(bytes: Int = 0, operations: Int = 0) {
        self.bytes = bytes
        self.operations = operations
    }

    package static func + (a: OpCost, b: OpCost) -> OpCost {
        OpCost(bytes: a.bytes + b.bytes, operations: a.operations + b.operations)
    }

    package static func += (a: inout OpCost, b: OpCost) { a = a + b }
}

extension Profile {
    /// What `op` costs in a step. Of a mixture, the weights of as many experts count as the rows can choose.
    package func cost(of op: Op, _ inputs: borrowing StepInputs) -> OpCost {
        let rows = domain(of: op) == .all ? inputs.tokens.count : inputs.outputRows.count
        guard rows > 0 else { return OpCost() }
        var cost = OpCost(bytes: rows * op.reads.reduce(0) { $0 + program.width($1) } * MemoryLayout<Float>.stride)
        for (weight, role) in op.weights {
            let declaration = program[weight]
            let used = op.expertsPerRow.map { min($0, declaration.experts) } ?? declaration.experts
            let perExpert = declaration.count / declaration.experts
            let read =
                role == .table
                ? rows * declaration.columns : perExpert * min(declaration.experts, rows * used)
            cost.bytes += formats[weight.index]?.byteCount(of: read) ?? 0
            if role == .matrix { cost.operations += 2 * rows * used * perExpert }
        }
        if case .attention(let op) = op { cost += self.cost(ofCacheReadBy: op, inputs) }
        return cost
    }

    private func cost(ofCacheReadBy op: Op.Attention, _ inputs: borrowing StepInputs) -> OpCost {
        let layer = program.cache.layers[op.layer]
        var cost = OpCost()
        for sequence in inputs.sequences {
            let positions = sequence.firstPosition..<sequence.firstPosition + sequence.rowCount
            let first = layer.firstVisible(from: positions.lowerBound)
            cost.bytes += (positions.upperBound - first) * layer.bytesPerPosition(cache)
            let pairs = positions.reduce(0) { $0 + $1 + 1 - layer.firstVisible(from: $1) }
            cost.operations += 2 * pairs * op.heads * (layer.keyLength + layer.valueLength)
        }
        return cost
    }
}

extension Op {
    /// Experts that each row chooses, where there is a choice.
    fileprivate var expertsPerRow: Int? {
        if case .moe(let op) = self { op.used } else { nil }
    }
}
