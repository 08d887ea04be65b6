internal import CSoftXPU

// The getters that the loader looks up by name, and what every entry of the tables calls. Entries that stay empty are answered by the
// loader: unsupported feature. CSoftXPU/tables.c has the getters whose tables are empty altogether.

private func fill<T>(_ version: UInt32, _ table: UnsafeMutableRawPointer?, as type: T.Type, _ write: (inout T) -> Void)
    -> UInt32
{
    guard let table = unsafe table else { return ZE_RESULT_ERROR_INVALID_NULL_POINTER.rawValue }
    if version >> 16 != 1 { return ZE_RESULT_ERROR_UNSUPPORTED_VERSION.rawValue }
    unsafe write(&table.assumingMemoryBound(to: type).pointee)
    return ZE_RESULT_SUCCESS.rawValue
}

@_cdecl("zeGetGlobalProcAddrTable")
public func globalTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_global_dditable_t.self) {
        $0.pfnInit = { flags in
            driver.call("zeInit") { (d) throws(Failure) in
                try d.check(flags: flags, known: 0x3, "flags")
                d.initialize()
                // A program that asks for neural processors only finds no device here.
                if flags == ZE_INIT_FLAG_VPU_ONLY.rawValue { throw .answer(ZE_RESULT_ERROR_UNINITIALIZED) }
            }
        }
    }
}

@_cdecl("zeGetDriverProcAddrTable")
public func driverTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_driver_dditable_t.self) {
        unsafe $0.pfnGet = { a, b in
            driver.call("zeDriverGet") { (d) throws(Failure) in try unsafe d.driverGet(a, b) }
        }
        unsafe $0.pfnGetApiVersion = { a, b in
            driver.call("zeDriverGetApiVersion") { (d) throws(Failure) in try unsafe d.driverGetApiVersion(a, b) }
        }
        unsafe $0.pfnGetProperties = { a, b in
            driver.call("zeDriverGetProperties") { (d) throws(Failure) in try unsafe d.driverGetProperties(a, b) }
        }
        unsafe $0.pfnGetExtensionProperties = { a, b, c in
            driver.call("zeDriverGetExtensionProperties") { (d) throws(Failure) in
                try unsafe d.driverGetExtensionProperties(a, b, c)
            }
        }
        unsafe $0.pfnGetExtensionFunctionAddress = { a, _, _ in
            driver.call("zeDriverGetExtensionFunctionAddress") { (d) throws(Failure) in
                try unsafe d.driverGetExtensionFunctionAddress(a)
            }
        }
    }
}

@_cdecl("zeGetDeviceProcAddrTable")
public func deviceTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_device_dditable_t.self) {
        unsafe $0.pfnGet = { a, b, c in
            driver.call("zeDeviceGet") { (d) throws(Failure) in try unsafe d.deviceGet(a, b, c) }
        }
        unsafe $0.pfnGetSubDevices = { a, b, c in
            driver.call("zeDeviceGetSubDevices") { (d) throws(Failure) in try unsafe d.deviceGetSubDevices(a, b) }
        }
        unsafe $0.pfnGetProperties = { a, b in
            driver.call("zeDeviceGetProperties") { (d) throws(Failure) in try unsafe d.deviceGetProperties(a, b) }
        }
        unsafe $0.pfnGetComputeProperties = { a, b in
            driver.call("zeDeviceGetComputeProperties") { (d) throws(Failure) in
                try unsafe d.deviceGetComputeProperties(a, b)
            }
        }
        unsafe $0.pfnGetModuleProperties = { a, b in
            driver.call("zeDeviceGetModuleProperties") { (d) throws(Failure) in
                try unsafe d.deviceGetModuleProperties(a, b)
            }
        }
        unsafe $0.pfnGetCommandQueueGroupProperties = { a, b, c in
            driver.call("zeDeviceGetCommandQueueGroupProperties") { (d) throws(Failure) in
                try unsafe d.deviceGetCommandQueueGroupProperties(a, b, c)
            }
        }
        unsafe $0.pfnGetMemoryProperties = { a, b, c in
            driver.call("zeDeviceGetMemoryProperties") { (d) throws(Failure) in
                try unsafe d.deviceGetMemoryProperties(a, b, c)
            }
        }
        unsafe $0.pfnGetMemoryAccessProperties = { a, b in
            driver.call("zeDeviceGetMemoryAccessProperties") { (d) throws(Failure) in
                try unsafe d.deviceGetMemoryAccessProperties(a, b)
            }
        }
        unsafe $0.pfnGetCacheProperties = { a, b, c in
            driver.call("zeDeviceGetCacheProperties") { (d) throws(Failure) in
                try unsafe d.deviceGetCacheProperties(a, b, c)
            }
        }
        unsafe $0.pfnCanAccessPeer = { a, b, c in
            driver.call("zeDeviceCanAccessPeer") { (d) throws(Failure) in try unsafe d.deviceCanAccessPeer(a, b, c) }
        }
        unsafe $0.pfnGetStatus = { a in
            driver.call("zeDeviceGetStatus") { (d) throws(Failure) in _ = try unsafe d.deviceRegistry.find(a, "hDevice")
            }
        }
        unsafe $0.pfnGetGlobalTimestamps = { a, b, c in
            driver.call("zeDeviceGetGlobalTimestamps") { (d) throws(Failure) in
                try unsafe d.deviceGetGlobalTimestamps(a, b, c)
            }
        }
    }
}

@_cdecl("zeGetContextProcAddrTable")
public func contextTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_context_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c in
            driver.call("zeContextCreate") { (d) throws(Failure) in try unsafe d.contextCreate(a, b, c) }
        }
        unsafe $0.pfnCreateEx = { a, b, _, _, c in
            driver.call("zeContextCreateEx") { (d) throws(Failure) in try unsafe d.contextCreate(a, b, c) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeContextDestroy") { (d) throws(Failure) in try unsafe d.contextDestroy(a) }
        }
        unsafe $0.pfnGetStatus = { a in
            driver.call("zeContextGetStatus") { (d) throws(Failure) in try unsafe d.contextGetStatus(a) }
        }
        unsafe $0.pfnSystemBarrier = { a, _ in
            driver.call("zeContextSystemBarrier") { (d) throws(Failure) in _ = try unsafe d.contexts.find(a, "hContext")
            }
        }
        unsafe $0.pfnMakeMemoryResident = { a, b, c, e in
            driver.call("zeContextMakeMemoryResident") { (d) throws(Failure) in
                try unsafe d.contextSetResidency(a, b, c, e, isResident: true)
            }
        }
        unsafe $0.pfnEvictMemory = { a, b, c, e in
            driver.call("zeContextEvictMemory") { (d) throws(Failure) in
                try unsafe d.contextSetResidency(a, b, c, e, isResident: false)
            }
        }
    }
}

@_cdecl("zeGetMemProcAddrTable")
public func memTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_mem_dditable_t.self) {
        unsafe $0.pfnAllocShared = { a, b, c, e, f, g, h in
            driver.call("zeMemAllocShared") { (d) throws(Failure) in try unsafe d.memAllocShared(a, b, c, e, f, g, h) }
        }
        unsafe $0.pfnAllocDevice = { a, b, c, e, f, g in
            driver.call("zeMemAllocDevice") { (d) throws(Failure) in try unsafe d.memAllocDevice(a, b, c, e, f, g) }
        }
        unsafe $0.pfnAllocHost = { a, b, c, e, f in
            driver.call("zeMemAllocHost") { (d) throws(Failure) in try unsafe d.memAllocHost(a, b, c, e, f) }
        }
        unsafe $0.pfnFree = { a, b in
            driver.call("zeMemFree") { (d) throws(Failure) in try unsafe d.memFree(a, b) }
        }
        unsafe $0.pfnGetAllocProperties = { a, b, c, e in
            driver.call("zeMemGetAllocProperties") { (d) throws(Failure) in
                try unsafe d.memGetAllocProperties(a, b, c, e)
            }
        }
        unsafe $0.pfnGetAddressRange = { a, b, c, e in
            driver.call("zeMemGetAddressRange") { (d) throws(Failure) in try unsafe d.memGetAddressRange(a, b, c, e) }
        }
    }
}

@_cdecl("zeGetModuleProcAddrTable")
public func moduleTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_module_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c, e, f in
            driver.call("zeModuleCreate") { (d) throws(Failure) in try unsafe d.moduleCreate(a, b, c, e, f) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeModuleDestroy") { (d) throws(Failure) in try unsafe d.moduleDestroy(a) }
        }
        unsafe $0.pfnGetNativeBinary = { a, b, c in
            driver.call("zeModuleGetNativeBinary") { (d) throws(Failure) in try unsafe d.moduleGetNativeBinary(a, b, c)
            }
        }
        unsafe $0.pfnGetKernelNames = { a, b, c in
            driver.call("zeModuleGetKernelNames") { (d) throws(Failure) in try unsafe d.moduleGetKernelNames(a, b, c) }
        }
        unsafe $0.pfnGetProperties = { a, b in
            driver.call("zeModuleGetProperties") { (d) throws(Failure) in try unsafe d.moduleGetProperties(a, b) }
        }
    }
}

@_cdecl("zeGetModuleBuildLogProcAddrTable")
public func moduleBuildLogTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_module_build_log_dditable_t.self) {
        unsafe $0.pfnDestroy = { a in
            driver.call("zeModuleBuildLogDestroy") { (d) throws(Failure) in try unsafe d.moduleBuildLogDestroy(a) }
        }
        unsafe $0.pfnGetString = { a, b, c in
            driver.call("zeModuleBuildLogGetString") { (d) throws(Failure) in
                try unsafe d.moduleBuildLogGetString(a, b, c)
            }
        }
    }
}

@_cdecl("zeGetKernelProcAddrTable")
public func kernelTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_kernel_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c in
            driver.call("zeKernelCreate") { (d) throws(Failure) in try unsafe d.kernelCreate(a, b, c) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeKernelDestroy") { (d) throws(Failure) in try unsafe d.kernelDestroy(a) }
        }
        unsafe $0.pfnSetCacheConfig = { a, _ in
            driver.call("zeKernelSetCacheConfig") { (d) throws(Failure) in _ = try unsafe d.kernels.find(a, "hKernel") }
        }
        unsafe $0.pfnSetGroupSize = { a, x, y, z in
            driver.call("zeKernelSetGroupSize") { (d) throws(Failure) in try unsafe d.kernelSetGroupSize(a, [x, y, z]) }
        }
        unsafe $0.pfnSuggestGroupSize = { a, x, y, z, b, c, e in
            driver.call("zeKernelSuggestGroupSize") { (d) throws(Failure) in
                try unsafe d.kernelSuggestGroupSize(a, [x, y, z], [b, c, e])
            }
        }
        unsafe $0.pfnSetArgumentValue = { a, b, c, e in
            driver.call("zeKernelSetArgumentValue") { (d) throws(Failure) in
                try unsafe d.kernelSetArgumentValue(a, b, c, e)
            }
        }
        unsafe $0.pfnSetIndirectAccess = { a, b in
            driver.call("zeKernelSetIndirectAccess") { (d) throws(Failure) in try unsafe d.kernelSetIndirectAccess(a, b)
            }
        }
        unsafe $0.pfnGetIndirectAccess = { a, b in
            driver.call("zeKernelGetIndirectAccess") { (d) throws(Failure) in try unsafe d.kernelGetIndirectAccess(a, b)
            }
        }
        unsafe $0.pfnGetProperties = { a, b in
            driver.call("zeKernelGetProperties") { (d) throws(Failure) in try unsafe d.kernelGetProperties(a, b) }
        }
        unsafe $0.pfnGetName = { a, b, c in
            driver.call("zeKernelGetName") { (d) throws(Failure) in try unsafe d.kernelGetName(a, b, c) }
        }
    }
}

@_cdecl("zeGetKernelExpProcAddrTable")
public func kernelExpTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_kernel_exp_dditable_t.self) {
        unsafe $0.pfnSetGlobalOffsetExp = { a, x, y, z in
            driver.call("zeKernelSetGlobalOffsetExp") { (d) throws(Failure) in
                try unsafe d.kernelSetGlobalOffset(a, [x, y, z])
            }
        }
    }
}

@_cdecl("zeGetCommandQueueProcAddrTable")
public func commandQueueTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_command_queue_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c, e in
            driver.call("zeCommandQueueCreate") { (d) throws(Failure) in try unsafe d.commandQueueCreate(a, b, c, e) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeCommandQueueDestroy") { (d) throws(Failure) in try unsafe d.commandQueueDestroy(a) }
        }
        unsafe $0.pfnExecuteCommandLists = { a, b, c, e in
            driver.call("zeCommandQueueExecuteCommandLists") { (d) throws(Failure) in
                try unsafe d.commandQueueExecuteCommandLists(a, b, c, e)
            }
        }
        unsafe $0.pfnSynchronize = { a, b in
            driver.call("zeCommandQueueSynchronize") { (d) throws(Failure) in try unsafe d.commandQueueSynchronize(a, b)
            }
        }
    }
}

@_cdecl("zeGetCommandListProcAddrTable")
public func commandListTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_command_list_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c, e in
            driver.call("zeCommandListCreate") { (d) throws(Failure) in try unsafe d.commandListCreate(a, b, c, e) }
        }
        unsafe $0.pfnCreateImmediate = { a, b, c, e in
            driver.call("zeCommandListCreateImmediate") { (d) throws(Failure) in
                try unsafe d.commandListCreateImmediate(a, b, c, e)
            }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeCommandListDestroy") { (d) throws(Failure) in try unsafe d.commandListDestroy(a) }
        }
        unsafe $0.pfnClose = { a in
            driver.call("zeCommandListClose") { (d) throws(Failure) in try unsafe d.commandListClose(a) }
        }
        unsafe $0.pfnReset = { a in
            driver.call("zeCommandListReset") { (d) throws(Failure) in try unsafe d.commandListReset(a) }
        }
        unsafe $0.pfnAppendWriteGlobalTimestamp = { a, b, s, n, w in
            driver.call("zeCommandListAppendWriteGlobalTimestamp") { (d) throws(Failure) in
                try unsafe d.appendWriteGlobalTimestamp(a, b, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendBarrier = { a, s, n, w in
            driver.call("zeCommandListAppendBarrier") { (d) throws(Failure) in
                try unsafe d.appendBarrier(a, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendMemoryRangesBarrier = { a, b, c, e, s, n, w in
            driver.call("zeCommandListAppendMemoryRangesBarrier") { (d) throws(Failure) in
                try unsafe d.appendMemoryRangesBarrier(
                    a, b, c, e, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendMemoryCopy = { a, b, c, e, s, n, w in
            driver.call("zeCommandListAppendMemoryCopy") { (d) throws(Failure) in
                try unsafe d.appendMemoryCopy(a, b, c, e, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendMemoryFill = { a, b, c, e, f, s, n, w in
            driver.call("zeCommandListAppendMemoryFill") { (d) throws(Failure) in
                try unsafe d.appendMemoryFill(a, b, c, e, f, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendMemoryCopyRegion = { a, b, c, e, f, g, h, i, j, s, n, w in
            driver.call("zeCommandListAppendMemoryCopyRegion") { (d) throws(Failure) in
                try unsafe d.appendMemoryCopyRegion(
                    a, Driver.Region(base: b, region: c, pitch: e, slicePitch: f),
                    Driver.Region(base: g, region: h, pitch: i, slicePitch: j),
                    Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendMemoryPrefetch = { a, b, c in
            driver.call("zeCommandListAppendMemoryPrefetch") { (d) throws(Failure) in
                try unsafe d.appendMemoryPrefetch(a, b, c)
            }
        }
        unsafe $0.pfnAppendMemAdvise = { a, _, b, c, _ in
            driver.call("zeCommandListAppendMemAdvise") { (d) throws(Failure) in try unsafe d.appendMemAdvise(a, b, c) }
        }
        unsafe $0.pfnAppendSignalEvent = { a, b in
            driver.call("zeCommandListAppendSignalEvent") { (d) throws(Failure) in try unsafe d.appendSignalEvent(a, b)
            }
        }
        unsafe $0.pfnAppendWaitOnEvents = { a, b, c in
            driver.call("zeCommandListAppendWaitOnEvents") { (d) throws(Failure) in
                try unsafe d.appendWaitOnEvents(a, b, c)
            }
        }
        unsafe $0.pfnAppendEventReset = { a, b in
            driver.call("zeCommandListAppendEventReset") { (d) throws(Failure) in try unsafe d.appendEventReset(a, b) }
        }
        unsafe $0.pfnAppendQueryKernelTimestamps = { a, b, c, e, f, s, n, w in
            driver.call("zeCommandListAppendQueryKernelTimestamps") { (d) throws(Failure) in
                try unsafe d.appendQueryKernelTimestamps(
                    a, b, c, e, f, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendLaunchKernel = { a, b, c, s, n, w in
            driver.call("zeCommandListAppendLaunchKernel") { (d) throws(Failure) in
                try unsafe d.appendLaunchKernel(
                    a, b, c, isIndirect: false, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
        unsafe $0.pfnAppendLaunchKernelIndirect = { a, b, c, s, n, w in
            driver.call("zeCommandListAppendLaunchKernelIndirect") { (d) throws(Failure) in
                try unsafe d.appendLaunchKernel(
                    a, b, c, isIndirect: true, Driver.Synchronization(signal: s, count: n, waits: w))
            }
        }
    }
}

@_cdecl("zeGetFenceProcAddrTable")
public func fenceTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_fence_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c in
            driver.call("zeFenceCreate") { (d) throws(Failure) in try unsafe d.fenceCreate(a, b, c) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeFenceDestroy") { (d) throws(Failure) in try unsafe d.fenceDestroy(a) }
        }
        unsafe $0.pfnHostSynchronize = { a, b in
            driver.call("zeFenceHostSynchronize") { (d) throws(Failure) in try unsafe d.fenceHostSynchronize(a, b) }
        }
        unsafe $0.pfnQueryStatus = { a in
            driver.call("zeFenceQueryStatus") { (d) throws(Failure) in try unsafe d.fenceHostSynchronize(a, 0) }
        }
        unsafe $0.pfnReset = { a in
            driver.call("zeFenceReset") { (d) throws(Failure) in try unsafe d.fenceReset(a) }
        }
    }
}

@_cdecl("zeGetEventPoolProcAddrTable")
public func eventPoolTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_event_pool_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c, e, f in
            driver.call("zeEventPoolCreate") { (d) throws(Failure) in try unsafe d.eventPoolCreate(a, b, c, e, f) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeEventPoolDestroy") { (d) throws(Failure) in try unsafe d.eventPoolDestroy(a) }
        }
    }
}

@_cdecl("zeGetEventProcAddrTable")
public func eventTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: ze_event_dditable_t.self) {
        unsafe $0.pfnCreate = { a, b, c in
            driver.call("zeEventCreate") { (d) throws(Failure) in try unsafe d.eventCreate(a, b, c) }
        }
        unsafe $0.pfnDestroy = { a in
            driver.call("zeEventDestroy") { (d) throws(Failure) in try unsafe d.eventDestroy(a) }
        }
        unsafe $0.pfnHostSignal = { a in
            driver.call("zeEventHostSignal") { (d) throws(Failure) in try unsafe d.eventHostSignal(a) }
        }
        unsafe $0.pfnHostSynchronize = { a, b in
            driver.call("zeEventHostSynchronize") { (d) throws(Failure) in try unsafe d.eventHostSynchronize(a, b) }
        }
        unsafe $0.pfnQueryStatus = { a in
            driver.call("zeEventQueryStatus") { (d) throws(Failure) in try unsafe d.eventHostSynchronize(a, 0) }
        }
        unsafe $0.pfnHostReset = { a in
            driver.call("zeEventHostReset") { (d) throws(Failure) in try unsafe d.eventHostReset(a) }
        }
        unsafe $0.pfnQueryKernelTimestamp = { a, b in
            driver.call("zeEventQueryKernelTimestamp") { (d) throws(Failure) in
                try unsafe d.eventQueryKernelTimestamp(a, b)
            }
        }
    }
}

@_cdecl("zesGetDeviceProcAddrTable")
public func systemDeviceTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: zes_device_dditable_t.self) {
        unsafe $0.pfnEnumMemoryModules = { a, b, c in
            driver.call("zesDeviceEnumMemoryModules") { (d) throws(Failure) in
                try unsafe d.deviceEnumMemoryModules(a, b, c)
            }
        }
    }
}

@_cdecl("zesGetMemoryProcAddrTable")
public func systemMemoryTable(_ version: UInt32, _ table: UnsafeMutableRawPointer?) -> UInt32 {
    unsafe fill(version, table, as: zes_memory_dditable_t.self) {
        unsafe $0.pfnGetProperties = { a, b in
            driver.call("zesMemoryGetProperties") { (d) throws(Failure) in try unsafe d.memoryGetProperties(a, b) }
        }
        unsafe $0.pfnGetState = { a, b in
            driver.call("zesMemoryGetState") { (d) throws(Failure) in try unsafe d.memoryGetState(a, b) }
        }
    }
}
