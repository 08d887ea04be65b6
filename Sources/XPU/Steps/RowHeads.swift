internal import Compute
internal import Glibc

/// When steps hand out heads of rows instead of the rows.
package enum HeadUse: Sendable {
    /// Where a row is several times as long as a head.
    case automatic
    case always
    case never

    /// `TGI_RUN_XPU_HEADS`: `always` or `never`, for tests.
    package static var fromEnvironment: HeadUse {
        guard let value = unsafe getenv("TGI_RUN_XPU_HEADS") else { return .automatic }
        switch unsafe String(cString: value) {
        case "always": return .always
        case "never": return .never
        default: return .automatic
        }
    }

    func applies(to vocabulary: Int) -> Bool {
        switch self {
        case .automatic: vocabulary >= 4 * HeadLayout(vocabulary: vocabulary).words
        case .always: true
        case .never: false
        }
    }
}

/// Heads of a step's wanted rows (kernels/sampling.cl): processed and taken on the device, copied to the host at the end of the step.
final class RowHeads {
    /// Words of a ``HeadRequest`` in the control block.
    static let requestWords = 8
    /// Work-items of a work-group that has a row.
    private static let groupSize = 256

    private let device: Memory
    private let maxima: Memory
    private let host: Memory
    private let layout: HeadLayout
    private let vocabulary: Int

    /// - Parameter rows: Wanted rows of the largest step.
    init(_ context: Context, rows: Int, vocabulary: Int) throws(XPUError) {
        layout = HeadLayout(vocabulary: vocabulary)
        self.vocabulary = vocabulary
        device = try Memory(context, .device, byteCount: rows * layout.words * 4)
        maxima = try Memory(context, .device, byteCount: rows * layout.groups * 4)
        host = try Memory(context, .host, byteCount: rows * layout.words * 4)
    }

    /// Bytes of the device's memory.
    static func byteCount(rows: Int, vocabulary: Int) -> Int {
        let layout = HeadLayout(vocabulary: vocabulary)
        return rows * (layout.words + layout.groups) * 4
    }

    /// Bytes that heads take.
    func bytes(rows: Int) -> Int { rows * layout.words * 4 }

    static func fill(
        _ inputs: borrowing StepInputs, requests: UnsafeMutablePointer<Int32>, changes: UnsafeMutablePointer<Int32>
    ) {
        func bits(_ value: Float) -> Int32 { Int32(bitPattern: value.bitPattern) }
        for (row, request) in inputs.heads.enumerated() {
            let words = unsafe requests + row * requestWords
            unsafe words[0] = Int32(request.firstChange)
            unsafe words[1] = Int32(request.penalized)
            unsafe words[2] = Int32(request.biased)
            unsafe words[3] = bits(request.temperature)
            // The device's own division may be a unit off.
            unsafe words[4] = bits(1 / request.temperature)
            unsafe words[5] = bits(request.repetition)
            unsafe words[6] = bits(1 / request.repetition)
        }
        for (index, change) in inputs.logitChanges.enumerated() {
            unsafe changes[2 * index] = change.id
            unsafe changes[2 * index + 1] = bits(change.amount)
        }
    }

    /// - Parameter stride: Floats from one row of logits to the next.
    func record(
        _ shape: StepShape, _ control: ControlBlock, logits: Slice, stride: Int, into recorder: inout Recorder
    ) throws(XPUError) {
        let parts = control.layout(shape)
        let rows = shape.outputs
        let count = Argument.read(control.count(.outputs))
        let requests = Argument.read(control.slice(parts.headRequests))
        if shape.logitChanges > 0 {
            try recorder.launch(
                .sampling("process_logits"), groups: (rows, 1, 1), size: Self.groupSize,
                [.write(logits), .int(stride), requests, .read(control.slice(parts.logitChanges)), count])
        }
        let row: [Argument] = [.read(logits), .int(stride), .int(vocabulary)]
        let head: [Argument] = [.write(device.slice()), .int(layout.words), count]
        try recorder.launch(
            .sampling("group_maxima"), groups: (layout.blocks, rows, 1), size: WeightLayout.tileRows,
            row + [.int(layout.groups), .write(maxima.slice()), count])
        try recorder.launch(
            .sampling("select_head"), groups: (rows, 1, 1), size: Self.groupSize,
            row + [.int(layout.groups), .read(maxima.slice()), .int(layout.rank)] + head)
        try recorder.launch(
            .sampling("block_sums"), groups: ((layout.blocks + 1) / 2, rows, 1), size: WeightLayout.tileRows,
            row + [.int(layout.blocks), requests] + head)
        try recorder.copy(to: host.slice(), from: device.slice(), bytes: bytes(rows: rows))
    }

    /// Hands out the heads that have come.
    func deliver(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) {
        let words = unsafe host.base.assumingMemoryBound(to: UInt32.self)
        for (row, request) in inputs.heads.enumerated() {
            outputs[row] = RowDelivery(isProcessed: request.isWanted, hasRow: false)
            guard request.isWanted else { continue }
            _ = unsafe outputs.headBuffer(row: row).update(
                fromContentsOf: UnsafeBufferPointer(start: words + row * layout.words, count: layout.words))
        }
    }
}
