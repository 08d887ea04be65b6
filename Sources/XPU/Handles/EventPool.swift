internal import CXPU

/// Events that bear the times of the kernels that signal them.
@safe
final class EventPool {
    let context: Context
    private let handle: ze_event_pool_handle_t

    init(_ context: Context, count: Int) throws(XPUError) {
        self.context = context
        var descriptor = unsafe ze_event_pool_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_EVENT_POOL_DESC
        unsafe descriptor.flags =
            ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP.rawValue | ZE_EVENT_POOL_FLAG_HOST_VISIBLE.rawValue
        unsafe descriptor.count = UInt32(count)
        var device: ze_device_handle_t? = unsafe context.device.handle
        var handle: ze_event_pool_handle_t? = nil
        try unsafe check(
            context.calls.zeEventPoolCreate(context.handle, &descriptor, 1, &device, &handle), "zeEventPoolCreate")
        unsafe self.handle = try unsafe made(handle, "zeEventPoolCreate")
    }

    deinit { context.destroy { unsafe $0.zeEventPoolDestroy(handle) } }

    func makeEvent(_ index: Int) throws(XPUError) -> Event {
        var descriptor = unsafe ze_event_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_EVENT_DESC
        unsafe descriptor.index = UInt32(index)
        unsafe descriptor.signal = ZE_EVENT_SCOPE_FLAG_HOST.rawValue
        var event: ze_event_handle_t? = nil
        try unsafe check(context.calls.zeEventCreate(handle, &descriptor, &event), "zeEventCreate")
        return unsafe Event(self, try made(event, "zeEventCreate"))
    }
}

/// Signalled by the end of one command of a list.
@safe
final class Event {
    let handle: ze_event_handle_t
    /// Events must go before their pool.
    private let pool: EventPool

    fileprivate init(_ pool: EventPool, _ handle: ze_event_handle_t) {
        self.pool = pool
        unsafe self.handle = handle
    }

    deinit { pool.context.destroy { unsafe $0.zeEventDestroy(handle) } }

    /// How long the kernel ran that has signalled it, in seconds.
    func seconds() throws(XPUError) -> Double {
        var result = ze_kernel_timestamp_result_t()
        try unsafe check(
            pool.context.calls.zeEventQueryKernelTimestamp(handle, &result), "zeEventQueryKernelTimestamp")
        return pool.context.device.timer.seconds(from: result.global.kernelStart, to: result.global.kernelEnd)
    }

    /// Before the list is executed again.
    func reset() throws(XPUError) {
        try unsafe check(pool.context.calls.zeEventHostReset(handle), "zeEventHostReset")
    }
}

/// The clock of a device's time stamps.
struct DeviceTimer: Sendable {
    let ticksPerSecond: UInt64
    /// Of a time stamp; the others mean nothing, and the count starts again after them.
    let validBits: Int

    /// Less than a turn of the count: with 32 bits minutes.
    func seconds(from start: UInt64, to end: UInt64) -> Double {
        let mask = validBits >= 64 ? UInt64.max : (1 << UInt64(validBits)) - 1
        return Double((end &- start) & mask) / Double(max(1, ticksPerSecond))
    }
}
