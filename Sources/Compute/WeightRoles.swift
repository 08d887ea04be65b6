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
        for op in program.ops {
            for (weight, role) in op.weights { roles[weight.index].insert(role) }
        }
        return roles
    }
}
