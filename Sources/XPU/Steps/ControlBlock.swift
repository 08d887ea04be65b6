internal import Compute
internal import Glibc

/// All that changes from step to step, in one piece of memory: the host fills a pinned copy, and the step's list starts by copying
/// it to the device.
///
/// Counts (rows, wanted rows, tiles), then per row its token, position and the starts of its block tables, the wanted rows, cosines and sines
/// of each rope table, the factors of scales that grow, the tiles (first row, rows), the block tables, and how wanted rows are processed
/// for their heads.
@safe
final class ControlBlock {
    private let host: Memory
    private let device: Memory
    private let ropes: [RopeTable]
    private let scales: [Op.Scale]

    var byteCount: Int { host.byteCount }

    init(_ context: Context, _ program: Program, largest: StepShape) throws(XPUError) {
        ropes = program.ropes
        scales = program.growingScales
        let bytes = Layout(largest, ropes, scales: scales.count).byteCount
        host = try Memory(context, .host, byteCount: bytes)
        device = try Memory(context, .device, byteCount: bytes)
    }

    func holds(_ shape: StepShape) -> Bool { Layout(shape, ropes, scales: scales.count).byteCount <= byteCount }

    /// Where the parts are for steps of a shape, in units of 4 bytes.
    struct Layout {
        let tokens: Int
        let positions: Int
        let tableStarts: Int
        /// Of the windowed layers.
        let windowTableStarts: Int
        let outputRows: Int
        let tiles: Int
        /// Cosines of each table; the sines follow after rows * pairs.
        let ropes: [Int]
        /// Per row, for each scale that grows.
        let scales: [Int]
        let tables: Int
        /// Per wanted row, as kernels/sampling.cl has it, and what they refer to; where the step gives heads.
        let headRequests: Int
        let logitChanges: Int
        let byteCount: Int

        init(_ shape: StepShape, _ ropeTables: [RopeTable], scales scaleCount: Int) {
            var next = 0
            func take(_ count: Int) -> Int {
                defer { next += (count + 15) / 16 * 16 }
                return next
            }
            _ = take(3)
            tokens = take(shape.rows)
            positions = take(shape.rows)
            tableStarts = take(shape.rows)
            windowTableStarts = take(shape.rows)
            outputRows = take(shape.outputs)
            tiles = take(2 * shape.tiles)
            ropes = ropeTables.map { take(2 * shape.rows * $0.inverseFrequencies.count) }
            scales = (0..<scaleCount).map { _ in take(shape.rows) }
            tables = take(shape.tableEntries)
            headRequests = take(shape.givesHeads ? RowHeads.requestWords * shape.outputs : 0)
            logitChanges = take(2 * shape.logitChanges)
            byteCount = next * 4
        }
    }

    func layout(_ shape: StepShape) -> Layout { Layout(shape, ropes, scales: scales.count) }

    /// The part at an offset of a ``Layout``, on the device.
    func slice(_ offset: Int) -> Slice { device.slice(offset * 4) }
    /// The count of rows of a domain, on the device.
    func count(_ domain: RowDomain) -> Slice { device.slice(domain == .all ? 0 : 4) }

    /// The count of tiles, on the device.
    var tileCount: Slice { device.slice(8) }

    func record(_ shape: StepShape, into recorder: inout Recorder) throws(XPUError) {
        try recorder.copy(to: device.slice(), from: host.slice(), bytes: layout(shape).byteCount)
    }

    /// Bytes that a step of a shape sends.
    func bytes(_ shape: StepShape) -> Int { layout(shape).byteCount }

    func fill(_ inputs: borrowing StepInputs, _ shape: StepShape) {
        let layout = layout(shape)
        let words = unsafe host.base.assumingMemoryBound(to: Int32.self)
        unsafe words[0] = Int32(inputs.tokens.count)
        unsafe words[1] = Int32(inputs.outputRows.count)
        for (row, token) in inputs.tokens.enumerated() { unsafe words[layout.tokens + row] = token }
        for (index, row) in inputs.outputRows.enumerated() { unsafe words[layout.outputRows + index] = row }
        for (index, block) in inputs.blockTables.enumerated() { unsafe words[layout.tables + index] = block }
        var tiles = 0
        for sequence in inputs.sequences {
            for first in stride(from: 0, to: sequence.rowCount, by: shape.tileTokens) {
                unsafe words[layout.tiles + 2 * tiles] = Int32(sequence.firstRow + first)
                unsafe words[layout.tiles + 2 * tiles + 1] = Int32(min(shape.tileTokens, sequence.rowCount - first))
                tiles += 1
            }
            for index in 0..<sequence.rowCount {
                let row = sequence.firstRow + index
                unsafe words[layout.positions + row] = Int32(sequence.firstPosition + index)
                unsafe words[layout.tableStarts + row] = Int32(sequence.blockTable)
                unsafe words[layout.windowTableStarts + row] = Int32(sequence.windowTable)
            }
        }
        unsafe words[2] = Int32(tiles)
        let floats = unsafe host.base.assumingMemoryBound(to: Float.self)
        if shape.givesHeads {
            unsafe RowHeads.fill(
                inputs, requests: words + layout.headRequests, changes: words + layout.logitChanges)
        }
        for (scale, start) in zip(scales, layout.scales) {
            for row in 0..<inputs.tokens.count {
                unsafe floats[start + row] = Float(scale.factor(at: Int(words[layout.positions + row])))
            }
        }
        for (table, start) in zip(ropes, layout.ropes) {
            let pairs = table.inverseFrequencies.count
            let sines = start + shape.rows * pairs
            for row in 0..<inputs.tokens.count {
                let position = unsafe Double(words[layout.positions + row])
                for pair in 0..<pairs {
                    // Double precision, which most of these devices lack.
                    let angle = position * table.inverseFrequencies[pair]
                    unsafe floats[start + row * pairs + pair] = Float(cos(angle)) * table.magnitude
                    unsafe floats[sines + row * pairs + pair] = Float(sin(angle)) * table.magnitude
                }
            }
        }
    }
}
