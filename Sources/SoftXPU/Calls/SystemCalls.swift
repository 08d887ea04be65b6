internal import CSoftXPU

/// zesDeviceEnumMemoryModules, zesMemory…: how much memory is free. A Sysman device handle is the device handle, as it is where the
/// environment asked for Sysman before zeInit. Otherwise Level Zero says that nothing is initialised, and drivers are known to crash.
extension Driver {
    private func requireSysman() throws(Failure) {
        if hasSysman { return }
        throw .violation(
            ZE_RESULT_ERROR_UNINITIALIZED,
            "Sysman is not initialized; set ZES_ENABLE_SYSMAN=1 before zeInit (there is no zesInit here)")
    }

    func deviceEnumMemoryModules(
        _ device: OpaquePointer?, _ count: UnsafeMutablePointer<UInt32>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        try requireSysman()
        let device = try unsafe deviceRegistry.find(device, "hDevice")
        let modules = memoryModules.sorted.filter { $0.device === device }
        try unsafe list(modules.map(\.handle), count, out, "pCount")
    }

    func memoryGetProperties(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<zes_mem_properties_t>?)
        throws(Failure)
    {
        try requireSysman()
        let device = try unsafe memoryModules.find(handle, "hMemory").device
        let out = try unsafe require(out, "pProperties")
        unsafe out.pointee.type = device.profile.isIntegrated ? ZES_MEM_TYPE_DDR : ZES_MEM_TYPE_HBM
        unsafe out.pointee.onSubdevice = 0
        unsafe out.pointee.location = device.profile.isIntegrated ? ZES_MEM_LOC_SYSTEM : ZES_MEM_LOC_DEVICE
        unsafe out.pointee.physicalSize = device.memory
        unsafe out.pointee.busWidth = -1
        unsafe out.pointee.numChannels = -1
    }

    func memoryGetState(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<zes_mem_state_t>?) throws(Failure) {
        try requireSysman()
        let device = try unsafe memoryModules.find(handle, "hMemory").device
        let out = try unsafe require(out, "pState")
        unsafe out.pointee.health = ZES_MEM_HEALTH_OK
        unsafe out.pointee.size = device.memory
        unsafe out.pointee.free = device.memory - device.used
    }
}
