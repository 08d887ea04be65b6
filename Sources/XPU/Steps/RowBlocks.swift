internal import Compute

/// Single blocks of wanted rows (``RowBlock``), brought to the host when a draw asks for one.
final class RowBlocks {
    /// The row and the block that are wanted.
    private let wanted: Memory
    private let hostWanted: Memory
    private let block: Memory
    private let hostBlock: Memory
    private let vocabulary: Int

    static let byteCount = HeadLayout.blockLength * 4

    init(_ context: Context, vocabulary: Int) throws(XPUError) {
        self.vocabulary = vocabulary
        wanted = try Memory(context, .device, byteCount: 8)
        hostWanted = try Memory(context, .host, byteCount: 8)
        block = try Memory(context, .device, byteCount: Self.byteCount)
        hostBlock = try Memory(context, .host, byteCount: Self.byteCount)
    }

    /// - Parameter stride: Floats from one row of logits to the next.
    func record(logits: Slice, stride: Int, into recorder: inout Recorder) throws(XPUError) {
        try recorder.copy(to: wanted.slice(), from: hostWanted.slice(), bytes: 8)
        try recorder.launch(
            .sampling("take_block"), groups: (1, 1, 1), size: HeadLayout.blockLength,
            [
                .read(logits), .int(stride), .int(vocabulary), .read(wanted.slice()),
                .write(block.slice()),
            ])
        try recorder.copy(to: hostBlock.slice(), from: block.slice(), bytes: Self.byteCount)
    }

    func ask(row: Int, block: Int) {
        let words = unsafe hostWanted.base.assumingMemoryBound(to: Int32.self)
        unsafe words[0] = Int32(row)
        unsafe words[1] = Int32(block)
    }

    /// Hands out the block that has come, in its place in the row.
    func deliver(row: Int, block: Int, into outputs: inout StepOutputs) {
        let tokens = StepOutputs.tokens(of: block, vocabulary: vocabulary)
        unsafe outputs.buffer.baseAddress?.advanced(by: row * vocabulary + tokens.lowerBound).update(
            from: hostBlock.base.assumingMemoryBound(to: Float.self), count: tokens.count)
        outputs[row].block = block
    }
}
