internal import CXPU
internal import Compute
internal import Glibc
internal import Synchronization

/// A device opened for use. Everything made on it keeps it alive, which is why it is a class and its parts are not copyable.
@safe
final class Context: Sendable {
    let device: PhysicalDevice
    let calls: xpu_calls
    nonisolated(unsafe) let handle: ze_context_handle_t
    /// How long a submission may take: longer than any step does, so that a hang ends in an error.
    let patience: Duration

    private let levelZero: LevelZero
    private let lost = Atomic<Bool>(false)
    private let abandoned = Atomic<Bool>(false)
    /// Bytes of the device's memory that were allocated here.
    let allocated = Atomic<Int>(0)

    init(_ device: PhysicalDevice, _ levelZero: LevelZero) throws(XPUError) {
        self.device = device
        self.levelZero = levelZero
        calls = levelZero.calls
        patience = Self.patience
        var descriptor = unsafe ze_context_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_CONTEXT_DESC
        var handle: ze_context_handle_t? = nil
        try unsafe check(levelZero.calls.zeContextCreate(device.driver, &descriptor, &handle), "zeContextCreate")
        unsafe self.handle = try unsafe made(handle, "zeContextCreate")
    }

    deinit { destroy { unsafe $0.zeContextDestroy(handle) } }

    /// `TGI_RUN_XPU_TIMEOUT`, in seconds.
    private static var patience: Duration {
        let given = unsafe getenv("TGI_RUN_XPU_TIMEOUT").flatMap { unsafe Int(String(cString: $0)) }
        return .seconds(given.map { max(1, $0) } ?? 120)
    }

    /// Bytes of the device's memory that nobody has; `nil` where the driver does not tell.
    var freeMemory: Int? { levelZero.freeMemory(of: device) }

    /// Whether what was made here cannot be used any more.
    var isLost: Bool { lost.load(ordering: .relaxed) }

    /// Gives up on a device that does not finish: nothing here is used or destroyed any more, for either could wait for ever.
    func abandon() {
        abandoned.store(true, ordering: .relaxed)
        lost.store(true, ordering: .relaxed)
    }

    /// Destroys something that was made here. What a driver says to that helps nobody.
    func destroy(_ call: (xpu_calls) -> ze_result_t) {
        if !abandoned.load(ordering: .relaxed) { _ = call(calls) }
    }

    /// An error of a call as callers of the backend see it. After most of them nobody knows what state the device is in, so they
    /// count as its loss.
    func failure(_ error: XPUError) -> BackendError {
        switch error {
        case .outOfMemory(let bytes): return .outOfMemory(bytes)
        case .noLoader, .noDevice, .build: return .device("\(error)")
        case .call, .timeout, .deviceLost:
            lost.store(true, ordering: .relaxed)
            return .lost("\(error)")
        }
    }
}

/// The handle that a call gave back.
func made(_ handle: OpaquePointer?, _ call: StaticString) throws(XPUError) -> OpaquePointer {
    guard let handle = unsafe handle else { throw .call("\(call)", "no handle") }
    return unsafe handle
}
