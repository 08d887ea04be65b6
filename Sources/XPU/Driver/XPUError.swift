internal import CXPU

/// What can go wrong on the way to a device.
package enum XPUError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The Level Zero loader is not installed, or too old; the text says what is missing.
    case noLoader(String)
    /// There is no device with this index among `count`.
    case noDevice(index: Int, count: Int)
    /// A call failed, with the name of its `ze_result_t`.
    case call(String, String)
    /// A kernel module did not compile; the text is the compiler's.
    case build(module: String, log: String)
    /// The device did not finish in time.
    case timeout(seconds: Int)
    case outOfMemory(bytes: Int)
    /// The device hung, was reset or removed. Everything on it is lost.
    case deviceLost(String)

    package var description: String {
        switch self {
        case .noLoader(let what):
            "\(what). Level Zero is needed: on Debian and Ubuntu, apt-get install libze1 and the driver of the device"
        case .noDevice(_, 0):
            "Level Zero found no device. Is a driver installed (Debian: intel-opencl-icd, Ubuntu: libze-intel-gpu1), and may "
                + "this user open /dev/dri/renderD* (group render)?"
        case .noDevice(let index, let count):
            "there is no device xpu:\(index), only \(count == 1 ? "xpu:0" : "xpu:0 to xpu:\(count - 1)")"
        case .call(let call, let result): "\(call) failed with \(result)"
        case .build(let module, let log): "kernels '\(module)' do not compile on this device: \(log)"
        case .timeout(let seconds): "the device did not finish within \(seconds) s"
        case .outOfMemory(let bytes): "the device has no \(bytes >> 20) MiB of memory more"
        case .deviceLost(let call): "the device was lost (\(call) failed with ZE_RESULT_ERROR_DEVICE_LOST)"
        }
    }
}

/// Throws what the result of a call stands for.
func check(_ result: ze_result_t, _ call: StaticString, bytes: Int = 0) throws(XPUError) {
    switch result {
    case ZE_RESULT_SUCCESS: return
    case ZE_RESULT_ERROR_DEVICE_LOST, ZE_RESULT_ERROR_DEVICE_REQUIRES_RESET: throw .deviceLost("\(call)")
    case ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY, ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY: throw .outOfMemory(bytes: bytes)
    default: throw .call("\(call)", result.name)
    }
}

extension ze_result_t {
    /// The enumerator's name.
    var name: String {
        guard let name = Self.names[rawValue] else { return "ze_result_t 0x\(String(rawValue, radix: 16))" }
        return "ZE_RESULT_\(name)"
    }

    private static let names: [UInt32: String] = [
        0: "SUCCESS", 1: "NOT_READY",
        0x7000_0001: "ERROR_DEVICE_LOST", 0x7000_0002: "ERROR_OUT_OF_HOST_MEMORY",
        0x7000_0003: "ERROR_OUT_OF_DEVICE_MEMORY", 0x7000_0004: "ERROR_MODULE_BUILD_FAILURE",
        0x7000_0005: "ERROR_MODULE_LINK_FAILURE", 0x7000_0006: "ERROR_DEVICE_REQUIRES_RESET",
        0x7000_0007: "ERROR_DEVICE_IN_LOW_POWER_STATE", 0x7001_0000: "ERROR_INSUFFICIENT_PERMISSIONS",
        0x7001_0001: "ERROR_NOT_AVAILABLE", 0x7002_0000: "ERROR_DEPENDENCY_UNAVAILABLE",
        0x7800_0001: "ERROR_UNINITIALIZED", 0x7800_0002: "ERROR_UNSUPPORTED_VERSION",
        0x7800_0003: "ERROR_UNSUPPORTED_FEATURE", 0x7800_0004: "ERROR_INVALID_ARGUMENT",
        0x7800_0005: "ERROR_INVALID_NULL_HANDLE", 0x7800_0006: "ERROR_HANDLE_OBJECT_IN_USE",
        0x7800_0007: "ERROR_INVALID_NULL_POINTER", 0x7800_0008: "ERROR_INVALID_SIZE",
        0x7800_0009: "ERROR_UNSUPPORTED_SIZE", 0x7800_000a: "ERROR_UNSUPPORTED_ALIGNMENT",
        0x7800_000b: "ERROR_INVALID_SYNCHRONIZATION_OBJECT", 0x7800_000c: "ERROR_INVALID_ENUMERATION",
        0x7800_000d: "ERROR_UNSUPPORTED_ENUMERATION", 0x7800_000e: "ERROR_UNSUPPORTED_IMAGE_FORMAT",
        0x7800_000f: "ERROR_INVALID_NATIVE_BINARY", 0x7800_0010: "ERROR_INVALID_GLOBAL_NAME",
        0x7800_0011: "ERROR_INVALID_KERNEL_NAME", 0x7800_0012: "ERROR_INVALID_FUNCTION_NAME",
        0x7800_0013: "ERROR_INVALID_GROUP_SIZE_DIMENSION", 0x7800_0014: "ERROR_INVALID_GLOBAL_WIDTH_DIMENSION",
        0x7800_0015: "ERROR_INVALID_KERNEL_ARGUMENT_INDEX", 0x7800_0016: "ERROR_INVALID_KERNEL_ARGUMENT_SIZE",
        0x7800_0017: "ERROR_INVALID_KERNEL_ATTRIBUTE_VALUE", 0x7800_0018: "ERROR_INVALID_MODULE_UNLINKED",
        0x7800_0019: "ERROR_INVALID_COMMAND_LIST_TYPE", 0x7800_001a: "ERROR_OVERLAPPING_REGIONS",
        0x7fff_fffe: "ERROR_UNKNOWN",
    ]
}
