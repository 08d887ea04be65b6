internal import CXPU
internal import Glibc

/// The loader's library, opened once per process, so that the program starts where it is not installed.
@safe
struct LevelZero: Sendable {
    let calls: xpu_calls
    /// All devices that the loader shows (it applies `ZE_AFFINITY_MASK`), driver by driver.
    let devices: [PhysicalDevice]
    private let sysman: Sysman

    /// Bytes; `nil` where the driver does not tell.
    func freeMemory(of device: PhysicalDevice) -> Int? {
        sysman.freeMemory(of: device).map { min($0, device.memory) }
    }

    static func shared() throws(XPUError) -> LevelZero { try opened.get() }

    private static let opened: Result<LevelZero, XPUError> = Result { () throws(XPUError) in try LevelZero() }

    private init() throws(XPUError) {
        let calls = try Self.load()
        self.calls = calls
        let sysmanCalls = Sysman.prepare(Self.library)
        let status = calls.zeInit(ze_init_flags_t(ZE_INIT_FLAG_GPU_ONLY.rawValue))
        // The loader has no driver that started: the same as no device.
        guard status != ZE_RESULT_ERROR_UNINITIALIZED else {
            devices = []
            sysman = Sysman(sysmanCalls, own: [])
            return
        }
        try check(status, "zeInit")
        devices = try Self.findDevices(calls)
        sysman = Sysman(sysmanCalls, own: devices)
    }

    private static let library = "libze_loader.so.1"

    private static func load() throws(XPUError) -> xpu_calls {
        let calls = UnsafeMutablePointer<xpu_calls>.allocate(capacity: 1)
        defer { unsafe calls.deallocate() }
        var detail: UnsafePointer<CChar>? = nil
        let status = unsafe xpu_load(library, calls, &detail)
        let text = unsafe detail.map { unsafe String(cString: $0) } ?? ""
        switch status {
        case XPU_LOADED: return unsafe calls.pointee
        case XPU_NO_LIBRARY: throw .noLoader(text)
        default: throw .noLoader("libze_loader.so.1 is too old: it has no \(text)")
        }
    }

    private static func findDevices(_ calls: xpu_calls) throws(XPUError) -> [PhysicalDevice] {
        var found: [PhysicalDevice] = []
        var driverCount: UInt32 = 0
        try unsafe check(calls.zeDriverGet(&driverCount, nil), "zeDriverGet")
        var drivers = unsafe [ze_driver_handle_t?](repeating: nil, count: Int(driverCount))
        try unsafe check(calls.zeDriverGet(&driverCount, &drivers), "zeDriverGet")
        for index in 0..<Int(driverCount) {
            guard let driver = unsafe drivers[index] else { continue }
            try unsafe found += devices(of: driver, calls)
        }
        return found
    }

    private static func devices(
        of driver: ze_driver_handle_t, _ calls: xpu_calls
    ) throws(XPUError) -> [PhysicalDevice] {
        var found: [PhysicalDevice] = []
        var count: UInt32 = 0
        try unsafe check(calls.zeDeviceGet(driver, &count, nil), "zeDeviceGet")
        var handles = unsafe [ze_device_handle_t?](repeating: nil, count: Int(count))
        try unsafe check(calls.zeDeviceGet(driver, &count, &handles), "zeDeviceGet")
        for index in 0..<Int(count) {
            guard let handle = unsafe handles[index] else { continue }
            let device = try unsafe PhysicalDevice(calls, driver, handle)
            if device.isGPU { found.append(device) }
        }
        return found
    }
}
