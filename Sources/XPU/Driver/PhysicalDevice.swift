internal import CXPU

/// A device and what its driver says of it.
@safe
struct PhysicalDevice: Sendable {
    nonisolated(unsafe) let driver: ze_driver_handle_t
    nonisolated(unsafe) let handle: ze_device_handle_t
    let name: String
    let uuid: [UInt8]
    let isGPU: Bool
    /// Shares its memory with the host.
    let isIntegrated: Bool
    let driverVersion: UInt32
    let ipVersion: UInt32
    let extensions: Set<String>
    /// Execution units and hardware threads of each.
    let units: Int
    let threadsPerUnit: Int
    let clockMHz: Int
    let timer: DeviceTimer
    let subgroupSizes: [Int]
    let maxGroupSize: Int
    let localMemory: Int
    let maxAllocation: Int
    let memory: Int
    /// Packed four-way integer dot products in hardware.
    let hasDot4: Bool
    /// Sub-group size of the matrix engine; `nil` where there is none, or none that is known.
    let matrixLanes: Int?
    /// The queue group with kernels and copies.
    let queueGroup: UInt32

    init(_ calls: xpu_calls, _ driver: ze_driver_handle_t, _ handle: ze_device_handle_t) throws(XPUError) {
        unsafe self.driver = driver
        unsafe self.handle = handle

        var driverProperties = unsafe ze_driver_properties_t()
        unsafe driverProperties.stype = ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES
        try unsafe check(calls.zeDriverGetProperties(driver, &driverProperties), "zeDriverGetProperties")
        driverVersion = unsafe driverProperties.driverVersion
        extensions = try unsafe Self.extensions(calls, driver)

        var properties = unsafe ze_device_properties_t()
        unsafe properties.stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2
        var ip = unsafe xpu_device_ip_version()
        unsafe ip.stype = ze_structure_type_t(rawValue: UInt32(XPU_STRUCTURE_TYPE_DEVICE_IP_VERSION))
        let asksVersion = extensions.contains("ZE_extension_device_ip_version")
        let status = unsafe withUnsafeMutablePointer(to: &ip) { ip in
            unsafe properties.pNext = asksVersion ? UnsafeMutableRawPointer(ip) : nil
            return unsafe calls.zeDeviceGetProperties(handle, &properties)
        }
        try check(status, "zeDeviceGetProperties")
        ipVersion = unsafe ip.ipVersion
        name = unsafe withUnsafeBytes(of: properties.name) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        uuid = unsafe withUnsafeBytes(of: properties.uuid) { unsafe Array($0) }
        isGPU = unsafe properties.type == ZE_DEVICE_TYPE_GPU
        isIntegrated = unsafe properties.flags & ZE_DEVICE_PROPERTY_FLAG_INTEGRATED.rawValue != 0
        units = unsafe Int(
            properties.numSlices * properties.numSubslicesPerSlice * properties.numEUsPerSubslice)
        threadsPerUnit = unsafe Int(properties.numThreadsPerEU)
        clockMHz = unsafe Int(properties.coreClockRate)
        // In this form of the structure the resolution is in ticks per second.
        timer = unsafe DeviceTimer(
            ticksPerSecond: properties.timerResolution, validBits: Int(properties.kernelTimestampValidBits))
        maxAllocation = unsafe Int(clamping: properties.maxMemAllocSize)

        var compute = unsafe ze_device_compute_properties_t()
        unsafe compute.stype = ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES
        try unsafe check(calls.zeDeviceGetComputeProperties(handle, &compute), "zeDeviceGetComputeProperties")
        subgroupSizes = unsafe withUnsafeBytes(of: compute.subGroupSizes) { bytes in
            unsafe bytes.bindMemory(to: UInt32.self).prefix(Int(compute.numSubGroupSizes)).map(Int.init)
        }
        maxGroupSize = unsafe Int(compute.maxTotalGroupSize)
        localMemory = unsafe Int(compute.maxSharedLocalMemory)

        var module = unsafe ze_device_module_properties_t()
        unsafe module.stype = ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES
        try unsafe check(calls.zeDeviceGetModuleProperties(handle, &module), "zeDeviceGetModuleProperties")
        hasDot4 = unsafe module.flags & ZE_DEVICE_MODULE_FLAG_DP4A.rawValue != 0

        let engine = unsafe MatrixEngine.lanes(ipVersion: ipVersion, deviceID: properties.deviceId)
        matrixLanes = engine.flatMap { [subgroupSizes] in subgroupSizes.contains($0) ? $0 : nil }

        memory = try unsafe Self.memory(calls, handle)
        queueGroup = try unsafe Self.queueGroup(calls, handle)
    }

    private static func extensions(
        _ calls: xpu_calls, _ driver: ze_driver_handle_t
    ) throws(XPUError) -> Set<String> {
        var count: UInt32 = 0
        try unsafe check(
            calls.zeDriverGetExtensionProperties(driver, &count, nil), "zeDriverGetExtensionProperties")
        guard count > 0 else { return [] }
        var list = [ze_driver_extension_properties_t](repeating: .init(), count: Int(count))
        try unsafe check(
            calls.zeDriverGetExtensionProperties(driver, &count, &list), "zeDriverGetExtensionProperties")
        return Set(
            list.prefix(Int(count)).map { item in
                unsafe withUnsafeBytes(of: item.name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            })
    }

    private static func memory(_ calls: xpu_calls, _ device: ze_device_handle_t) throws(XPUError) -> Int {
        var count: UInt32 = 0
        try unsafe check(
            calls.zeDeviceGetMemoryProperties(device, &count, nil), "zeDeviceGetMemoryProperties")
        guard count > 0 else { return 0 }
        var empty = unsafe ze_device_memory_properties_t()
        unsafe empty.stype = ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES
        var list = unsafe [ze_device_memory_properties_t](repeating: empty, count: Int(count))
        try unsafe check(
            calls.zeDeviceGetMemoryProperties(device, &count, &list), "zeDeviceGetMemoryProperties")
        return unsafe list.prefix(Int(count)).reduce(0) { unsafe $0 + Int(clamping: $1.totalSize) }
    }

    private static func queueGroup(_ calls: xpu_calls, _ device: ze_device_handle_t) throws(XPUError) -> UInt32 {
        var count: UInt32 = 0
        try unsafe check(
            calls.zeDeviceGetCommandQueueGroupProperties(device, &count, nil),
            "zeDeviceGetCommandQueueGroupProperties")
        var empty = unsafe ze_command_queue_group_properties_t()
        unsafe empty.stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_GROUP_PROPERTIES
        var list = unsafe [ze_command_queue_group_properties_t](repeating: empty, count: Int(count))
        try unsafe check(
            calls.zeDeviceGetCommandQueueGroupProperties(device, &count, &list),
            "zeDeviceGetCommandQueueGroupProperties")
        let wanted =
            ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE.rawValue | ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY.rawValue
        let index = unsafe list.firstIndex { unsafe $0.flags & wanted == wanted && $0.numQueues > 0 }
        guard let index else {
            throw .call("zeDeviceGetCommandQueueGroupProperties", "no queue for kernels and copies")
        }
        return UInt32(index)
    }
}
