extension Program {
    /// Joins linear operations that read the same value (query, key and value; gate and up) into the first of them, so
    /// that a backend prepares their input once.
    package func fusingSharedInput() -> Program {
        var fused: [Op] = []
        var firstReader: [Value: Int] = [:]
        for op in ops {
            guard case .linear(let linear) = op, linear.projections.allSatisfy({ $0.residual == nil }) else {
                fused.append(op)
                continue
            }
            if let index = firstReader[linear.input], case .linear(var first) = fused[index] {
                first.projections += linear.projections
                fused[index] = .linear(first)
            } else {
                firstReader[linear.input] = fused.count
                fused.append(op)
            }
        }
        var program = self
        program.ops = fused
        return program
    }
}
