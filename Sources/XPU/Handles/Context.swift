internal import CXPU

/// A device opened for use. Everything made on it keeps it alive, which is why it is a class and its parts are not copyable.
@safe
final class Context: Sendable {
    let device: PhysicalDevice
    let calls: xpu_calls
    nonisolated(unsafe) let handle: ze_context_handle_t

    init(_ device: PhysicalDevice, _ levelZero: LevelZero) throws(XPUError) {
        self.device = device
        calls = levelZero.calls
        var descriptor = unsafe ze_context_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_CONTEXT_DESC
        var handle: ze_context_handle_t? = nil
        try unsafe check(levelZero.calls.zeContextCreate(device.driver, &descriptor, &handle), "zeContextCreate")
        unsafe self.handle = try unsafe made(handle, "zeContextCreate")
    }

    deinit { _ = unsafe calls.zeContextDestroy(handle) }
}

/// The handle that a call gave back.
func made(_ handle: OpaquePointer?, _ call: StaticString) throws(XPUError) -> OpaquePointer {
    guard let handle = unsafe handle else { throw .call("\(call)", "no handle") }
    return unsafe handle
}
