extension Program {
    /// Turns `add(x, linear(y))` into one linear operation with a residual where nothing else reads the linear's result.
    ///
    /// Exact: a linear adds its residual last, as the addition would.
    package func fusingResidual() -> Program {
        var readers: [Value: Int] = [logits: 1]
        for op in ops { for value in op.reads { readers[value, default: 0] += 1 } }

        var fused: [Op] = []
        var writer: [Value: Int] = [:]
        for op in ops {
            if case .add(let add) = op, let target = target(of: add, in: fused, writer: writer, readers: readers) {
                guard case .linear(var linear) = fused[target.index] else { preconditionFailure("not a linear") }
                linear.projections[0].residual = target.residual
                linear.projections[0].output = add.output
                fused[target.index] = .linear(linear)
                writer[add.output] = target.index
                continue
            }
            for value in op.writes { writer[value] = fused.count }
            fused.append(op)
        }
        var program = self
        program.ops = fused
        return program
    }

    private func target(
        of add: Op.Add, in ops: [Op], writer: [Value: Int], readers: [Value: Int]
    ) -> (index: Int, residual: Value)? {
        for (result, residual) in [(add.right, add.left), (add.left, add.right)] where result != residual {
            guard readers[result] == 1, let index = writer[result], let ready = writer[residual], ready < index,
                case .linear(let linear) = ops[index], linear.projections.count == 1,
                linear.projections[0].residual == nil
            else { continue }
            return (index, residual)
        }
        return nil
    }
}
