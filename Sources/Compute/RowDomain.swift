/// Which rows a value has.
package enum RowDomain: Sendable {
    /// All rows of the step.
    case all
    /// Those whose logits are wanted.
    case outputs

    /// The domain of each value of a program, by index.
    package static func of(_ program: Program) -> [RowDomain] {
        var domains = [RowDomain](repeating: .all, count: program.widths.count)
        for op in program.ops {
            var domain = op.reads.first.map { domains[$0.index] } ?? .all
            if case .outputRows = op { domain = .outputs }
            for value in op.writes { domains[value.index] = domain }
        }
        return domains
    }
}
