internal import CSoftXPU
import Glibc

/// zeInit, zeDriver…, zeDevice…
extension Driver {
    func driverGet(_ count: UnsafeMutablePointer<UInt32>?, _ handles: UnsafeMutablePointer<OpaquePointer?>?)
        throws(Failure)
    {
        try unsafe list([root.handle], count, handles, "pCount")
    }

    func findRoot(_ handle: OpaquePointer?) throws(Failure) {
        guard unsafe handle == root.handle else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_HANDLE, "hDriver is not the handle that zeDriverGet gave")
        }
    }

    func driverGetProperties(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_driver_properties_t>?)
        throws(Failure)
    {
        try unsafe findRoot(handle)
        let out = try unsafe structure(out, ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES, \.stype, "pDriverProperties")
        unsafe out.pointee.driverVersion = Self.driverVersion
        unsafe out.pointee.uuid = ze_driver_uuid_t()
        unsafe withUnsafeMutableBytes(of: &out.pointee.uuid) {
            unsafe $0.copyBytes(from: Array("SoftXPU driver 1".utf8))
        }
    }

    static let driverVersion: UInt32 = 0x0100_0001

    /// Extensions whose structures the driver fills or reads.
    static let extensions: [(String, UInt32)] = [
        ("ZE_experimental_relaxed_allocation_limits", 0x1_0000), ("ZE_extension_eu_count", 0x1_0000),
        ("ZE_extension_device_ip_version", 0x1_0000), ("ZE_intel_device_module_dp_properties", 0x1_0000),
        ("ZE_experimental_global_offset", 0x1_0000),
    ]

    func driverGetExtensionProperties(
        _ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?,
        _ out: UnsafeMutablePointer<ze_driver_extension_properties_t>?
    ) throws(Failure) {
        try unsafe findRoot(handle)
        let values = Self.extensions.map { name, version in
            var value = ze_driver_extension_properties_t()
            copy(name, to: &value.name)
            value.version = version
            return value
        }
        try unsafe list(values, count, out, "pCount")
    }

    func deviceGet(
        _ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        try unsafe findRoot(handle)
        try unsafe list(devices.map(\.handle), count, out, "pCount")
    }

    func deviceGetProperties(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_device_properties_t>?)
        throws(Failure)
    {
        let device = try unsafe deviceRegistry.find(handle, "hDevice")
        let profile = device.profile
        guard let out = unsafe out else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "pDeviceProperties is NULL")
        }
        let countsCycles = unsafe out.pointee.stype == ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2
        if !countsCycles {
            _ = try unsafe structure(out, ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES, \.stype, "pDeviceProperties")
        }
        var value = unsafe ze_device_properties_t()
        unsafe value.stype = out.pointee.stype
        unsafe value.pNext = out.pointee.pNext
        unsafe value.type = ZE_DEVICE_TYPE_GPU
        unsafe value.vendorId = 0x8086
        unsafe value.deviceId = profile.deviceID
        unsafe value.flags = profile.isIntegrated ? ZE_DEVICE_PROPERTY_FLAG_INTEGRATED.rawValue : 0
        unsafe value.coreClockRate = profile.clock
        unsafe value.maxMemAllocSize = min(profile.largestAllocation, device.memory)
        unsafe value.maxHardwareContexts = 1 << 16
        unsafe value.numThreadsPerEU = profile.threadsPerEngine
        unsafe value.physicalEUSimdWidth = profile.simdWidth
        unsafe value.numEUsPerSubslice = profile.enginesPerCore
        unsafe value.numSubslicesPerSlice = profile.coresPerSlice
        unsafe value.numSlices = profile.slices
        // Nanoseconds per tick, or ticks per second in the later form of the structure.
        unsafe value.timerResolution = countsCycles ? profile.timerFrequency : 1_000_000_000 / profile.timerFrequency
        unsafe value.timestampValidBits = 64
        unsafe value.kernelTimestampValidBits = Self.timestampBits
        unsafe withUnsafeMutableBytes(of: &value.uuid) {
            unsafe $0.copyBytes(from: [0x86, 0x80] + Array("SoftXPU".utf8) + [UInt8(device.index)])
        }
        unsafe copy("SoftXPU \(profile.name) (limits of \(profile.product))", to: &value.name)
        unsafe out.pointee = value
        unsafe extend(value.pNext) { type, next in
            switch type {
            case ZE_STRUCTURE_TYPE_EU_COUNT_EXT.rawValue:
                unsafe next.assumingMemoryBound(to: ze_eu_count_ext_t.self).pointee.numTotalEUs = profile.engineCount
            case Self.ipVersionType: unsafe next.storeBytes(of: profile.ipVersion, toByteOffset: 16, as: UInt32.self)
            default: break
            }
        }
    }

    // Structures that are newer than the headers: type, pNext, one 32-bit field.
    private static let ipVersionType: UInt32 = 0x1000f
    private static let modulePackedDotType: UInt32 = 0x30013

    func deviceGetComputeProperties(
        _ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_device_compute_properties_t>?
    ) throws(Failure) {
        let profile = try unsafe deviceRegistry.find(handle, "hDevice").profile
        let out = try unsafe structure(out, ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES, \.stype, "pComputeProperties")
        unsafe out.pointee.maxTotalGroupSize = Profile.largestGroup
        unsafe out.pointee.maxGroupSizeX = Profile.largestGroup
        unsafe out.pointee.maxGroupSizeY = Profile.largestGroup
        unsafe out.pointee.maxGroupSizeZ = Profile.largestGroup
        unsafe out.pointee.maxGroupCountX = UInt32.max
        unsafe out.pointee.maxGroupCountY = UInt32.max
        unsafe out.pointee.maxGroupCountZ = UInt32.max
        unsafe out.pointee.maxSharedLocalMemory = profile.localMemory
        unsafe out.pointee.numSubGroupSizes = UInt32(profile.subGroupSizes.count)
        unsafe withUnsafeMutableBytes(of: &out.pointee.subGroupSizes) { bytes in
            let sizes = unsafe bytes.assumingMemoryBound(to: UInt32.self)
            for i in sizes.indices { unsafe sizes[i] = i < profile.subGroupSizes.count ? profile.subGroupSizes[i] : 0 }
        }
    }

    func deviceGetModuleProperties(
        _ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_device_module_properties_t>?
    ) throws(Failure) {
        let profile = try unsafe deviceRegistry.find(handle, "hDevice").profile
        let out = try unsafe structure(out, ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES, \.stype, "pModuleProperties")
        var value = unsafe ze_device_module_properties_t()
        unsafe value.stype = out.pointee.stype
        unsafe value.pNext = out.pointee.pNext
        unsafe value.spirvVersionSupported = Self.spirvVersion.major << 16 | Self.spirvVersion.minor
        unsafe value.flags =
            ZE_DEVICE_MODULE_FLAG_FP16.rawValue | ZE_DEVICE_MODULE_FLAG_INT64_ATOMICS.rawValue
            | ZE_DEVICE_MODULE_FLAG_DP4A.rawValue | (profile.hasDoubles ? ZE_DEVICE_MODULE_FLAG_FP64.rawValue : 0)
        let floats =
            ZE_DEVICE_FP_FLAG_DENORM.rawValue | ZE_DEVICE_FP_FLAG_INF_NAN.rawValue
            | ZE_DEVICE_FP_FLAG_ROUND_TO_NEAREST.rawValue | ZE_DEVICE_FP_FLAG_FMA.rawValue
        unsafe value.fp16flags = floats
        unsafe value.fp32flags = floats
        unsafe value.fp64flags = profile.hasDoubles ? floats : 0
        unsafe value.maxArgumentsSize = UInt32(Self.largestArguments)
        unsafe value.printfBufferSize = 4 << 20
        unsafe out.pointee = value
        unsafe extend(value.pNext) { type, next in
            if type == Self.modulePackedDotType {
                // Bit 0: DP4A, bit 1: DPAS.
                let flags: UInt32 = 1 | (profile.matrixSubGroupSize == nil ? 0 : 2)
                unsafe next.storeBytes(of: flags, toByteOffset: 16, as: UInt32.self)
            }
        }
    }

    static let spirvVersion: (major: UInt32, minor: UInt32) = (1, 2)
    /// Bytes of a kernel's arguments.
    static let largestArguments = 2048

    func deviceGetCommandQueueGroupProperties(
        _ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?,
        _ out: UnsafeMutablePointer<ze_command_queue_group_properties_t>?
    ) throws(Failure) {
        let device = try unsafe deviceRegistry.find(handle, "hDevice")
        try unsafe fill(
            device.groups, count, out, ZE_STRUCTURE_TYPE_COMMAND_QUEUE_GROUP_PROPERTIES, \.stype,
            "pCommandQueueGroupProperties"
        ) { group, value in
            unsafe value.flags =
                ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY.rawValue
                | (group.computes ? ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE.rawValue : 0)
            unsafe value.maxMemoryFillPatternSize = group.largestPattern
            unsafe value.numQueues = 1
        }
    }

    func deviceGetMemoryProperties(
        _ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?,
        _ out: UnsafeMutablePointer<ze_device_memory_properties_t>?
    ) throws(Failure) {
        let device = try unsafe deviceRegistry.find(handle, "hDevice")
        try unsafe fill([device], count, out, ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES, \.stype, "pMemProperties") {
            device, value in
            unsafe value.flags = 0
            unsafe value.maxClockRate = 0
            unsafe value.maxBusWidth = 64
            unsafe value.totalSize = device.memory
            unsafe copy(device.profile.isIntegrated ? "DDR" : "VRAM", to: &value.name)
        }
    }

    func deviceGetMemoryAccessProperties(
        _ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_device_memory_access_properties_t>?
    ) throws(Failure) {
        _ = try unsafe deviceRegistry.find(handle, "hDevice")
        let out = try unsafe structure(
            out, ZE_STRUCTURE_TYPE_DEVICE_MEMORY_ACCESS_PROPERTIES, \.stype, "pMemAccessProperties")
        let access = ZE_MEMORY_ACCESS_CAP_FLAG_RW.rawValue | ZE_MEMORY_ACCESS_CAP_FLAG_ATOMIC.rawValue
        unsafe out.pointee.hostAllocCapabilities = access
        unsafe out.pointee.deviceAllocCapabilities = access
        unsafe out.pointee.sharedSingleDeviceAllocCapabilities = access
        unsafe out.pointee.sharedCrossDeviceAllocCapabilities = 0
        // Memory from malloc is no argument of a kernel.
        unsafe out.pointee.sharedSystemAllocCapabilities = 0
    }

    func deviceGetCacheProperties(
        _ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?,
        _ out: UnsafeMutablePointer<ze_device_cache_properties_t>?
    ) throws(Failure) {
        let device = try unsafe deviceRegistry.find(handle, "hDevice")
        try unsafe fill([device], count, out, ZE_STRUCTURE_TYPE_DEVICE_CACHE_PROPERTIES, \.stype, "pCacheProperties") {
            device, value in
            unsafe value.flags = 0
            unsafe value.cacheSize = device.profile.cache
        }
    }

    func deviceGetGlobalTimestamps(
        _ handle: OpaquePointer?, _ host: UnsafeMutablePointer<UInt64>?, _ stamp: UnsafeMutablePointer<UInt64>?
    ) throws(Failure) {
        let device = try unsafe deviceRegistry.find(handle, "hDevice")
        let now = Monitor.now
        try unsafe require(host, "hostTimestamp").pointee = now
        try unsafe require(stamp, "deviceTimestamp").pointee = ticks(now, device)
    }
}

/// Small answers.
extension Driver {
    func driverGetApiVersion(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_api_version_t>?) throws(Failure) {
        try unsafe findRoot(handle)
        try unsafe require(out, "version").pointee = ZE_API_VERSION_CURRENT
    }

    /// There are extension structures, but no extension functions.
    func driverGetExtensionFunctionAddress(_ handle: OpaquePointer?) throws(Failure) {
        try unsafe findRoot(handle)
        throw .answer(ZE_RESULT_ERROR_INVALID_ARGUMENT)
    }

    func deviceGetSubDevices(_ handle: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?) throws(Failure) {
        _ = try unsafe deviceRegistry.find(handle, "hDevice")
        try unsafe require(count, "pCount").pointee = 0
    }

    func deviceCanAccessPeer(
        _ handle: OpaquePointer?, _ peer: OpaquePointer?, _ out: UnsafeMutablePointer<UInt8>?
    ) throws(Failure) {
        let (device, peer) = unsafe (
            try deviceRegistry.find(handle, "hDevice"), try deviceRegistry.find(peer, "hPeerDevice")
        )
        try unsafe require(out, "value").pointee = device === peer ? 1 : 0
    }
}
