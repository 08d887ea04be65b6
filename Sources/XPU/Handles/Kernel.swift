internal import CXPU

/// A kernel and the arguments of its next launch. For one thread at a time.
@safe
struct Kernel: ~Copyable {
    let name: String
    let handle: ze_kernel_handle_t
    /// Kernels must go before their module.
    private let owner: CompiledModule
    private var context: Context { owner.module.context }

    init(_ owner: CompiledModule, _ name: String) throws(XPUError) {
        self.name = name
        self.owner = owner
        var descriptor = unsafe ze_kernel_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_KERNEL_DESC
        var handle: ze_kernel_handle_t? = nil
        let status = unsafe name.withCString { name in
            unsafe descriptor.pKernelName = unsafe name
            return unsafe owner.module.context.calls.zeKernelCreate(owner.module.handle, &descriptor, &handle)
        }
        guard status != ZE_RESULT_ERROR_INVALID_KERNEL_NAME else {
            throw .call("zeKernelCreate", "\(status.name) for \(name)")
        }
        try check(status, "zeKernelCreate")
        unsafe self.handle = try unsafe made(handle, "zeKernelCreate")
    }

    deinit { context.destroy { unsafe $0.zeKernelDestroy(handle) } }

    func set(_ arguments: [Argument]) throws(XPUError) {
        for (index, argument) in arguments.enumerated() {
            let status =
                switch argument {
                case .int(let value): set(index, Int32(value))
                case .long(let value): set(index, Int64(value))
                case .float(let value): set(index, value)
                case .read(let slice?), .write(let slice?), .constant(let slice?): set(index, slice.address)
                case .read(nil), .write(nil), .constant(nil):
                    unsafe context.calls.zeKernelSetArgumentValue(
                        handle, UInt32(index), MemoryLayout<UInt64>.size, nil)
                case .local(let bytes):
                    unsafe context.calls.zeKernelSetArgumentValue(handle, UInt32(index), bytes, nil)
                }
            guard status == ZE_RESULT_SUCCESS else {
                throw .call("zeKernelSetArgumentValue", "\(status.name) for argument \(index) of \(name)")
            }
        }
    }

    func setGroupSize(_ size: (Int, Int, Int)) throws(XPUError) {
        try unsafe check(
            context.calls.zeKernelSetGroupSize(handle, UInt32(size.0), UInt32(size.1), UInt32(size.2)),
            "zeKernelSetGroupSize")
    }

    private func set<T>(_ index: Int, _ value: T) -> ze_result_t {
        unsafe withUnsafeBytes(of: value) {
            unsafe context.calls.zeKernelSetArgumentValue(handle, UInt32(index), $0.count, $0.baseAddress)
        }
    }
}

/// An argument of a kernel. Memory says how it is used, which is what barriers are placed by.
enum Argument {
    /// 32 bits.
    case int(Int)
    /// 64 bits.
    case long(Int)
    case float(Float)
    case read(Slice?)
    case write(Slice?)
    /// Memory that no launch of the same list writes.
    case constant(Slice?)
    /// Bytes of local memory.
    case local(Int)
}
