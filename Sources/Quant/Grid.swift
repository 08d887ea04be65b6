internal import CFormats

/// A codebook of the IQ1, IQ2 and IQ3 formats: runs of 4 or 8 small values.
struct Grid: Sendable {
    private let runs: [UInt16]
    /// Weights in a run.
    private let runLength: Int
    /// Value that each digit of a run stands for.
    private let values: [Int]

    init(formatID: UInt32, runLength: Int, values: [Int]) {
        var count = 0
        let table = unsafe UnsafeBufferPointer(start: format_grid(formatID, &count), count: count)
        runs = unsafe Array(table)
        self.runLength = runLength
        self.values = values
    }

    /// Value `i` of a run. A run is an integer with one digit per weight, the first lowest.
    subscript(run: Int, i: Int) -> Int {
        let width = 16 / runLength
        return values[Int(runs[run]) >> (width * i) & (1 << width - 1)]
    }
}

/// Bit `i` of eight sign bits of which seven are stored; the eighth makes their number even.
func evenSign(_ seven: Int, _ i: Int) -> Int {
    i < 7 ? seven >> i & 1 : seven.nonzeroBitCount & 1
}
