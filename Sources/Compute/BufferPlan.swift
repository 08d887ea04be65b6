/// Which buffer holds which value: values that are never alive together share one.
package struct BufferPlan: Sendable {
    /// Buffer of each value, by value index; `nil` for values that no operation writes.
    package let buffer: [Int?]
    /// Width of each buffer: the largest of the values that it holds.
    package let widths: [Int]

    package init(_ program: Program) {
        var lastUse = [Int](repeating: -1, count: program.widths.count)
        for (index, op) in program.ops.enumerated() {
            for value in op.reads + op.writes { lastUse[value.index] = index }
        }
        lastUse[program.logits.index] = program.ops.count

        var buffer = [Int?](repeating: nil, count: program.widths.count)
        var widths: [Int] = []
        var free: [Int] = []
        for (index, op) in program.ops.enumerated() {
            for value in op.writes {
                let width = program.widths[value.index]
                // The free buffer that fits best: the smallest that is large enough, else the largest.
                let fit =
                    free.filter { widths[$0] >= width }.min { widths[$0] < widths[$1] }
                    ?? free.max { widths[$0] < widths[$1] }
                if let fit {
                    free.removeAll { $0 == fit }
                    widths[fit] = max(widths[fit], width)
                    buffer[value.index] = fit
                } else {
                    buffer[value.index] = widths.count
                    widths.append(width)
                }
            }
            for value in op.reads + op.writes where lastUse[value.index] == index {
                if let released = buffer[value.index], !free.contains(released) { free.append(released) }
            }
        }
        self.buffer = buffer
        self.widths = widths
    }
}
