internal import Compute
internal import Quant

/// Products of each format, and what prepares their input.
extension SelfTest {
    /// Nine rows and one: they take different kernels. Floats also with columns that are no matter of a matrix engine.
    func product(_ format: Format) -> Result {
        let columns = max(256, 2 * format.blockLength)
        return Result.worst(
            (format.groups == nil ? [columns, columns - 1] : [columns]).map { columns in
                let weights = SyntheticWeights()
                weights.exactRows("x.weight", columns: columns, rows: 9)
                weights.matrix("w.weight", format, columns: columns, rows: 40)
                var g = ProgramBuilder(weights)
                let x = g.embed("x", vocabulary: 9, width: columns)
                let y = g.linear(x, "w", outputs: 40)
                return compare("linear \(format)", &g, y, weights, [.init(0, rows: 9), .init(0, rows: 1)], bound: 1e-5)
            })
    }

    /// Loading and reading rows of a format, which loses nothing.
    func embedding(_ format: Format) -> Result {
        let columns = max(96, 2 * format.blockLength)
        let weights = SyntheticWeights()
        weights.matrix("x.weight", format, columns: columns, rows: 20)
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: 20, width: columns)
        return compare("unpack, embed \(format)", &g, x, weights, [.init(0, rows: 20)], bound: 0)
    }

    /// A gated MLP, whose operations hand rows on as 8-bit codes: they are what the error is of.
    func gatedProducts(_ format: Format) -> Result {
        let (width, hidden) = (256, 512)
        let weights = SyntheticWeights()
        weights.floats("x.weight", [width, 9])
        weights.floats("norm.weight", [width], around: 1, size: 0.2)
        for (name, dimensions) in [("gate", [width, hidden]), ("up", [width, hidden]), ("down", [hidden, width])] {
            weights.floats("\(name).weight", dimensions, size: 0.2, as: format)
        }
        var g = ProgramBuilder(weights)
        let x = g.embed("x", vocabulary: 9, width: width)
        let h = g.norm(x, "norm", epsilon: 1e-5)
        let y = g.gate(g.linear(h, "gate", outputs: hidden), g.linear(h, "up", outputs: hidden), .silu)
        return compare(
            "norm, gated MLP \(format)", &g, g.linear(y, "down", outputs: width), weights,
            [.init(0, rows: 9), .init(0, rows: 1)], bound: 2e-2)
    }
}
