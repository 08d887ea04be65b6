internal import CXPU

/// Commands that are recorded once and executed any number of times.
@safe
struct CommandList: ~Copyable {
    let handle: ze_command_list_handle_t
    private let context: Context

    init(_ context: Context) throws(XPUError) {
        self.context = context
        var descriptor = unsafe ze_command_list_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_COMMAND_LIST_DESC
        unsafe descriptor.commandQueueGroupOrdinal = context.device.queueGroup
        var handle: ze_command_list_handle_t? = nil
        try unsafe check(
            context.calls.zeCommandListCreate(context.handle, context.device.handle, &descriptor, &handle),
            "zeCommandListCreate")
        unsafe self.handle = try unsafe made(handle, "zeCommandListCreate")
    }

    deinit { context.destroy { unsafe $0.zeCommandListDestroy(handle) } }

    /// What follows sees all that came before.
    func barrier() throws(XPUError) {
        try unsafe check(
            context.calls.zeCommandListAppendBarrier(handle, nil, 0, nil), "zeCommandListAppendBarrier")
    }

    func copy(to target: Slice, from source: Slice, bytes: Int) throws(XPUError) {
        try unsafe check(
            context.calls.zeCommandListAppendMemoryCopy(
                handle, UnsafeMutableRawPointer(bitPattern: UInt(target.address)),
                UnsafeRawPointer(bitPattern: UInt(source.address)), bytes, nil, 0, nil),
            "zeCommandListAppendMemoryCopy")
    }

    /// - Parameter event: Signalled when the kernel is done.
    func launch(_ kernel: borrowing Kernel, groups: (Int, Int, Int), signalling event: Event? = nil) throws(XPUError) {
        var count = ze_group_count_t(
            groupCountX: UInt32(groups.0), groupCountY: UInt32(groups.1), groupCountZ: UInt32(groups.2))
        let status = unsafe context.calls.zeCommandListAppendLaunchKernel(
            handle, kernel.handle, &count, event?.handle, 0, nil)
        guard status == ZE_RESULT_SUCCESS else {
            throw .call("zeCommandListAppendLaunchKernel", "\(status.name) for \(kernel.name)")
        }
    }

    func close() throws(XPUError) {
        try unsafe check(context.calls.zeCommandListClose(handle), "zeCommandListClose")
    }

    func reset() throws(XPUError) {
        try unsafe check(context.calls.zeCommandListReset(handle), "zeCommandListReset")
    }
}
