internal import CXPU
internal import Glibc

/// Executes command lists in the order of submission.
struct CommandQueue: ~Copyable {
    private let owner: Owner

    /// Fences must go before their queue, so both hold on to its handle.
    @safe
    fileprivate final class Owner {
        let context: Context
        let handle: ze_command_queue_handle_t

        init(_ context: Context) throws(XPUError) {
            self.context = context
            var descriptor = unsafe ze_command_queue_desc_t()
            unsafe descriptor.stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC
            unsafe descriptor.ordinal = context.device.queueGroup
            unsafe descriptor.mode = ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS
            var handle: ze_command_queue_handle_t? = nil
            try unsafe check(
                context.calls.zeCommandQueueCreate(context.handle, context.device.handle, &descriptor, &handle),
                "zeCommandQueueCreate")
            unsafe self.handle = try unsafe made(handle, "zeCommandQueueCreate")
        }

        deinit { context.destroy { unsafe $0.zeCommandQueueDestroy(handle) } }
    }

    init(_ context: Context) throws(XPUError) { owner = try Owner(context) }

    /// Starts a list; `fence`, which must be fresh or reset, tells when it is done.
    func execute(_ list: borrowing CommandList, _ fence: borrowing Fence) throws(XPUError) {
        var lists: ze_command_list_handle_t? = unsafe list.handle
        try unsafe check(
            owner.context.calls.zeCommandQueueExecuteCommandLists(owner.handle, 1, &lists, fence.handle),
            "zeCommandQueueExecuteCommandLists")
    }

    func makeFence() throws(XPUError) -> Fence { try Fence(owner) }
}

/// Tells the host when a submission is done.
@safe
struct Fence: ~Copyable {
    let handle: ze_fence_handle_t
    private let queue: CommandQueue.Owner

    fileprivate init(_ queue: CommandQueue.Owner) throws(XPUError) {
        self.queue = queue
        var descriptor = unsafe ze_fence_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_FENCE_DESC
        var handle: ze_fence_handle_t? = nil
        try unsafe check(queue.context.calls.zeFenceCreate(queue.handle, &descriptor, &handle), "zeFenceCreate")
        unsafe self.handle = try unsafe made(handle, "zeFenceCreate")
    }

    deinit { queue.context.destroy { unsafe $0.zeFenceDestroy(handle) } }

    func reset() throws(XPUError) { try unsafe check(queue.context.calls.zeFenceReset(handle), "zeFenceReset") }

    /// Waits for the submission: in the driver while that is short, then asking ever more rarely, so that a long prompt burns no
    /// core.
    /// - Throws: ``XPUError/timeout(seconds:)`` when the device hangs, ``XPUError/deviceLost(_:)``.
    func wait() throws(XPUError) {
        let context = queue.context
        if context.isLost { throw .deviceLost("an earlier call") }
        let start = ContinuousClock.now
        var status = unsafe context.calls.zeFenceHostSynchronize(handle, 200_000)
        var pause = UInt32(20)
        while status == ZE_RESULT_NOT_READY {
            guard ContinuousClock.now - start < context.patience else {
                context.abandon()
                throw .timeout(seconds: Int(context.patience.components.seconds))
            }
            usleep(pause)
            pause = min(pause + pause / 4, 500)
            status = unsafe context.calls.zeFenceQueryStatus(handle)
        }
        try check(status, "zeFenceQueryStatus")
    }
}
