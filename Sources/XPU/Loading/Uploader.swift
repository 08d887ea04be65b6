/// Two slots of pinned and of device memory: while the device copies and unpacks one, the host fills the other.
final class Uploader {
    /// Bytes of a slot, unless a row is longer.
    static let slotBytes = 16 << 20

    let slotBytes: Int
    private let context: Context
    private let queue: CommandQueue
    private let kernels: KernelSet
    private let slots: [Slot]
    private var next = 0

    private final class Slot {
        let host: Memory
        let device: Memory
        let fence: Fence
        /// What the device runs now, and what that writes; kept until it is done.
        var list: CommandList?
        var target: DeviceMatrix?

        init(_ context: Context, _ queue: borrowing CommandQueue, bytes: Int) throws(XPUError) {
            host = try Memory(context, .host, byteCount: bytes)
            device = try Memory(context, .device, byteCount: bytes)
            fence = try queue.makeFence()
        }

        func wait() throws(XPUError) {
            guard list != nil else { return }
            try fence.wait()
            try fence.reset()
            list = nil
            target = nil
        }
    }

    init(_ context: Context, _ library: KernelLibrary, slotBytes: Int) throws(XPUError) {
        self.context = context
        self.slotBytes = slotBytes
        queue = try CommandQueue(context)
        kernels = KernelSet(library)
        slots = [try Slot(context, queue, bytes: slotBytes), try Slot(context, queue, bytes: slotBytes)]
    }

    /// Where loading failed, the device may still be at work.
    deinit {
        for slot in slots { try? slot.wait() }
    }

    /// Unpacks rows of GGUF blocks into a matrix.
    func unpack(
        _ blocks: UnsafeRawPointer, count: Int, matrix: DeviceMatrix, expert: Int, firstRow: Int, rows: Int
    ) throws(XPUError) {
        try unsafe submit(bytes: count, to: matrix) { target in
            unsafe target.copyMemory(from: blocks, byteCount: count)
        } record: { (recorder, staged) throws(XPUError) in
            let items = matrix.columns / matrix.layout.unpackColumns
            let width = 16
            try recorder.launch(
                .unpack(matrix.layout.unpack), groups: ((items + width - 1) / width, rows, 1), size: width,
                [
                    .read(staged), .write(matrix.memory.slice(expert * matrix.expertBytes)), .int(firstRow),
                    .int(rows), .int(matrix.columns),
                ])
        }
    }

    /// Copies what `fill` writes.
    func upload(to target: Slice, bytes: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws(XPUError) {
        try unsafe submit(bytes: bytes, to: nil, fill) { (recorder, staged) throws(XPUError) in
            try recorder.copy(to: target, from: staged, bytes: bytes)
        }
    }

    /// Waits for all that was started, also where some of it failed.
    func finish() throws(XPUError) {
        var failure: XPUError?
        for slot in slots {
            do { try slot.wait() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func submit(
        bytes: Int, to target: DeviceMatrix?, _ fill: (UnsafeMutableRawPointer) -> Void,
        record: (inout Recorder, Slice) throws(XPUError) -> Void
    ) throws(XPUError) {
        precondition(bytes <= slotBytes)
        guard bytes > 0 else { return }
        let slot = slots[next]
        next = (next + 1) % slots.count
        try slot.wait()
        unsafe fill(slot.host.base)
        var recorder = Recorder(try CommandList(context), kernels)
        try recorder.copy(to: slot.device.slice(), from: slot.host.slice(), bytes: bytes)
        try record(&recorder, slot.device.slice())
        let list = try recorder.finish()
        try queue.execute(list, slot.fence)
        slot.list = consume list
        slot.target = target
    }
}
