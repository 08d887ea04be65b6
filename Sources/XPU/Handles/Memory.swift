internal import CXPU
internal import Synchronization

/// Memory of the device, or of the host where the device can reach it.
@safe
struct Memory: ~Copyable, @unchecked Sendable {
    enum Place {
        case device
        case host
    }

    let context: Context
    let byteCount: Int
    let base: UnsafeMutableRawPointer
    private let place: Place

    /// - Throws: ``XPUError/outOfMemory(bytes:)``
    init(_ context: Context, _ place: Place, byteCount: Int) throws(XPUError) {
        self.context = context
        self.byteCount = max(64, byteCount)
        // Larger than the device's usual limit: allowed where the driver is asked.
        var relaxed = unsafe ze_relaxed_allocation_limits_exp_desc_t()
        unsafe relaxed.stype = ZE_STRUCTURE_TYPE_RELAXED_ALLOCATION_LIMITS_EXP_DESC
        unsafe relaxed.flags = ZE_RELAXED_ALLOCATION_LIMITS_EXP_FLAG_MAX_SIZE.rawValue
        let isLarge = self.byteCount > context.device.maxAllocation
        var pointer: UnsafeMutableRawPointer? = nil
        let count = self.byteCount
        let status = unsafe withUnsafeMutablePointer(to: &relaxed) { relaxed in
            let next = isLarge ? UnsafeMutableRawPointer(relaxed) : nil
            switch place {
            case .device:
                var descriptor = unsafe ze_device_mem_alloc_desc_t()
                unsafe descriptor.stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC
                unsafe descriptor.pNext = UnsafeRawPointer(next)
                return unsafe context.calls.zeMemAllocDevice(
                    context.handle, &descriptor, count, 64, context.device.handle, &pointer)
            case .host:
                var descriptor = unsafe ze_host_mem_alloc_desc_t()
                unsafe descriptor.stype = ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC
                unsafe descriptor.pNext = UnsafeRawPointer(next)
                return unsafe context.calls.zeMemAllocHost(context.handle, &descriptor, count, 64, &pointer)
            }
        }
        try check(status, place == .device ? "zeMemAllocDevice" : "zeMemAllocHost", bytes: count)
        guard let base = unsafe pointer else { throw .outOfMemory(bytes: count) }
        unsafe self.base = base
        self.place = place
        if place == .device { context.allocated.add(count, ordering: .relaxed) }
    }

    deinit {
        if place == .device { context.allocated.subtract(byteCount, ordering: .relaxed) }
        context.destroy { unsafe $0.zeMemFree(context.handle, base) }
    }

    /// A part of it as a kernel sees it.
    func slice(_ offset: Int = 0) -> Slice {
        precondition(offset >= 0 && offset <= byteCount)
        return unsafe Slice(
            memory: UInt(bitPattern: base), address: UInt64(UInt(bitPattern: base)) + UInt64(offset))
    }
}

/// A place in a ``Memory``. It does not keep it alive.
struct Slice: Hashable, Sendable {
    /// Which memory: what hazards are tracked by.
    let memory: UInt
    let address: UInt64

    func advanced(by bytes: Int) -> Slice { Slice(memory: memory, address: address + UInt64(bytes)) }
}
