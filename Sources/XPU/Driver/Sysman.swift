internal import CXPU
internal import Glibc

/// How much memory of a device is free, where the loader and the driver tell: Level Zero's Sysman.
@safe
struct Sysman: Sendable {
    private let calls: xpu_sysman_calls
    private let devices: [[UInt8]: Device]

    @safe
    private struct Device: Sendable {
        nonisolated(unsafe) let handle: zes_device_handle_t
    }

    /// Before `zeInit`: a loader without `zesInit` has Sysman where this variable asks for it, with the devices' own handles.
    static func prepare(_ library: String) -> xpu_sysman_calls {
        var calls = xpu_sysman_calls()
        unsafe xpu_load_sysman(library, &calls)
        if calls.zesInit == nil { _ = unsafe setenv("ZES_ENABLE_SYSMAN", "1", 0) }
        return calls
    }

    /// - Parameter own: Handles of all devices by UUID.
    init(_ calls: xpu_sysman_calls, own: [PhysicalDevice]) {
        self.calls = calls
        if let start = calls.zesInit {
            devices = start(0) == ZE_RESULT_SUCCESS ? Self.devices(calls) : [:]
        } else {
            let handles = own.map { ($0.uuid, unsafe Device(handle: $0.handle)) }
            devices = Dictionary(handles, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Bytes; `nil` where nobody tells.
    func freeMemory(of device: PhysicalDevice) -> Int? {
        guard let list = unsafe calls.zesDeviceEnumMemoryModules, let state = unsafe calls.zesMemoryGetState,
            let device = devices[device.uuid]
        else { return nil }
        var count: UInt32 = 0
        guard unsafe list(device.handle, &count, nil) == ZE_RESULT_SUCCESS, count > 0 else { return nil }
        var modules = unsafe [zes_mem_handle_t?](repeating: nil, count: Int(count))
        guard unsafe list(device.handle, &count, &modules) == ZE_RESULT_SUCCESS else { return nil }
        var free = 0
        for index in 0..<Int(count) {
            guard let module = unsafe modules[index] else { return nil }
            var found = unsafe zes_mem_state_t()
            unsafe found.stype = ZES_STRUCTURE_TYPE_MEM_STATE
            guard unsafe state(module, &found) == ZE_RESULT_SUCCESS else { return nil }
            unsafe free += Int(clamping: found.free)
        }
        return free
    }

    private static func devices(_ calls: xpu_sysman_calls) -> [[UInt8]: Device] {
        guard let drivers = unsafe calls.zesDriverGet, let list = unsafe calls.zesDeviceGet,
            let properties = unsafe calls.zesDeviceGetProperties
        else { return [:] }
        var found: [[UInt8]: Device] = [:]
        var count: UInt32 = 0
        guard unsafe drivers(&count, nil) == ZE_RESULT_SUCCESS else { return [:] }
        var handles = unsafe [zes_driver_handle_t?](repeating: nil, count: Int(count))
        guard unsafe drivers(&count, &handles) == ZE_RESULT_SUCCESS else { return [:] }
        for index in 0..<Int(count) {
            guard let driver = unsafe handles[index] else { continue }
            var deviceCount: UInt32 = 0
            guard unsafe list(driver, &deviceCount, nil) == ZE_RESULT_SUCCESS else { continue }
            var devices = unsafe [zes_device_handle_t?](repeating: nil, count: Int(deviceCount))
            guard unsafe list(driver, &deviceCount, &devices) == ZE_RESULT_SUCCESS else { continue }
            for index in 0..<Int(deviceCount) {
                guard let handle = unsafe devices[index] else { continue }
                var info = unsafe zes_device_properties_t()
                unsafe info.stype = ZES_STRUCTURE_TYPE_DEVICE_PROPERTIES
                guard unsafe properties(handle, &info) == ZE_RESULT_SUCCESS else { continue }
                let uuid = unsafe withUnsafeBytes(of: info.core.uuid) { unsafe Array($0) }
                unsafe found[uuid] = Device(handle: handle)
            }
        }
        return found
    }
}
