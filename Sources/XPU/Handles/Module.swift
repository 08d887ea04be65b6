internal import CXPU

/// Compiled kernels.
@safe
struct Module: ~Copyable, @unchecked Sendable {
    enum Code {
        case spirv
        case native
    }

    let context: Context
    let name: String
    let handle: ze_module_handle_t

    init(_ context: Context, name: String, _ code: Code, _ bytes: Span<UInt8>) throws(XPUError) {
        self.context = context
        self.name = name
        var descriptor = unsafe ze_module_desc_t()
        unsafe descriptor.stype = ZE_STRUCTURE_TYPE_MODULE_DESC
        unsafe descriptor.format = code == .spirv ? ZE_MODULE_FORMAT_IL_SPIRV : ZE_MODULE_FORMAT_NATIVE
        unsafe descriptor.inputSize = bytes.count
        var handle: ze_module_handle_t? = nil
        var log: ze_module_build_log_handle_t? = nil
        let status = unsafe BuildOptions.text.withCString { options in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe descriptor.pBuildFlags = options
                unsafe descriptor.pInputModule = bytes.baseAddress
                return unsafe context.calls.zeModuleCreate(
                    context.handle, context.device.handle, &descriptor, &handle, &log)
            }
        }
        let text = unsafe Self.takeText(of: log, context.calls)
        if status == ZE_RESULT_ERROR_MODULE_BUILD_FAILURE || status == ZE_RESULT_ERROR_MODULE_LINK_FAILURE {
            throw .build(module: name, log: text.isEmpty ? status.name : text)
        }
        try check(status, "zeModuleCreate")
        unsafe self.handle = try unsafe made(handle, "zeModuleCreate")
    }

    deinit { context.destroy { unsafe $0.zeModuleDestroy(handle) } }

    /// What the device runs, for a cache; empty where the driver does not give it.
    func nativeBinary() -> [UInt8] {
        var count = 0
        guard unsafe context.calls.zeModuleGetNativeBinary(handle, &count, nil) == ZE_RESULT_SUCCESS, count > 0 else {
            return []
        }
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe context.calls.zeModuleGetNativeBinary(handle, &count, &bytes) == ZE_RESULT_SUCCESS else {
            return []
        }
        return bytes
    }

    /// Without what the compiler adds.
    func kernelNames() throws(XPUError) -> [String] {
        var count: UInt32 = 0
        try unsafe check(context.calls.zeModuleGetKernelNames(handle, &count, nil), "zeModuleGetKernelNames")
        var names = unsafe [UnsafePointer<CChar>?](repeating: nil, count: Int(count))
        try unsafe check(context.calls.zeModuleGetKernelNames(handle, &count, &names), "zeModuleGetKernelNames")
        return unsafe names.prefix(Int(count)).compactMap { name in unsafe name.map { unsafe String(cString: $0) } }
            .filter { !$0.hasPrefix("Intel_") }
    }

    private static func takeText(of log: ze_module_build_log_handle_t?, _ calls: xpu_calls) -> String {
        guard let log = unsafe log else { return "" }
        defer { _ = unsafe calls.zeModuleBuildLogDestroy(log) }
        var count = 0
        guard unsafe calls.zeModuleBuildLogGetString(log, &count, nil) == ZE_RESULT_SUCCESS, count > 0 else {
            return ""
        }
        var text = [UInt8](repeating: 0, count: count)
        let status = unsafe text.withUnsafeMutableBytes {
            unsafe calls.zeModuleBuildLogGetString(log, &count, $0.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
        guard status == ZE_RESULT_SUCCESS else { return "" }
        return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// What modules are compiled with.
enum BuildOptions {
    /// Weights and caches may be larger than 4 GB.
    static let text = "-ze-opt-greater-than-4GB-buffer-required"
}
