/// How the operations of a program read a weight: multiplied, element by element, or row by row.
package struct WeightRoles: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let matrix = WeightRoles(rawValue: 1)
    package static let vector = WeightRoles(rawValue: 2)
    package static let table = WeightRoles(rawValue: 4)

    /// The roles of each weight, by index.
    package static func of(_ program: Program) -> [WeightRoles] {
        var roles = [WeightRoles](repeating: [], count: program.weights.count)
        func mark(_ weight: Weight?, _ role: WeightRoles) {
            if let weight { roles[weight.index].insert(role) }
        }
        for op in program.ops {
            switch op {
            case .embed(let op): mark(op.table, .table)
            case .norm(let op):
                mark(op.weight, .vector)
                mark(op.bias, .vector)
            case .linear(let op):
                for projection in op.projections {
                    mark(projection.weight, .matrix)
                    mark(projection.bias, .vector)
                }
            case .attention(let op): mark(op.sinks, .vector)
            case .headLinear(let op): mark(op.weight, .matrix)
            case .moe(let op):
                for weight in [op.gate, op.up, op.down] { mark(weight, .matrix) }
                for weight in [op.biases?.gate, op.biases?.up, op.biases?.down, op.choiceBias] { mark(weight, .vector) }
            case .join, .rope, .store, .gate, .activate, .add, .scale, .softcap, .outputRows: break
            }
        }
        return roles
    }
}
