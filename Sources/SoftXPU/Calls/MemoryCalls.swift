internal import CSoftXPU

/// zeContext…, zeMem…
extension Driver {
    func contextCreate(
        _ handle: OpaquePointer?, _ desc: UnsafePointer<ze_context_desc_t>?,
        _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        try unsafe findRoot(handle)
        _ = try unsafe structure(desc, ZE_STRUCTURE_TYPE_CONTEXT_DESC, \.stype, "desc")
        try unsafe require(out, "phContext").pointee = contexts.add { Context($0) }.handle
    }

    func contextDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let context = try unsafe contexts.find(handle, "hContext")
        var left: [String] = []
        left += queues.sorted.filter { $0.context === context && !$0.isImmediate }.map(\.label)
        left += lists.sorted.filter { $0.context === context }.map(\.label)
        left += eventPools.sorted.filter { $0.context === context }.map(\.label)
        left += modules.sorted.filter { $0.context === context }.map(\.label)
        left += memory.live.filter { $0.context === context }.map(\.label)
        if !left.isEmpty {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE,
                "\(context.label) still has \(left.prefix(4).joined(separator: ", "))\(left.count > 4 ? " and \(left.count - 4) more" : ""); "
                    + "destroy and free them first")
        }
        contexts.remove(context)
    }

    func contextGetStatus(_ handle: OpaquePointer?) throws(Failure) {
        if try unsafe contexts.find(handle, "hContext").isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
    }

    /// Makes memory resident, or evicts it.
    func contextSetResidency(
        _ context: OpaquePointer?, _ device: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?, _ size: Int,
        isResident: Bool
    ) throws(Failure) {
        _ = try unsafe contexts.find(context, "hContext")
        _ = try unsafe deviceRegistry.find(device, "hDevice")
        if let allocation = try unsafe span(pointer, size, "ptr", needsAllocation: true).allocation {
            memory.setResident(allocation, isResident)
        }
    }

    struct Wish {
        let kind: MemoryKind
        let context: Context
        let device: Device?
        let size: Int
        let alignment: Int
        let isRelaxed: Bool
    }

    func memAllocDevice(
        _ context: OpaquePointer?, _ desc: UnsafePointer<ze_device_mem_alloc_desc_t>?, _ size: Int, _ alignment: Int,
        _ device: OpaquePointer?, _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let device = try unsafe deviceRegistry.find(device, "hDevice")
        let desc = try unsafe check(desc)
        try unsafe allocate(
            Wish(
                kind: .device, context: context, device: device, size: size, alignment: alignment,
                isRelaxed: isRelaxed(desc.pNext)),
            out)
    }

    func memAllocHost(
        _ context: OpaquePointer?, _ desc: UnsafePointer<ze_host_mem_alloc_desc_t>?, _ size: Int, _ alignment: Int,
        _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let desc = try unsafe check(desc)
        try unsafe allocate(
            Wish(
                kind: .host, context: context, device: nil, size: size, alignment: alignment,
                isRelaxed: isRelaxed(desc.pNext)), out)
    }

    func memAllocShared(
        _ context: OpaquePointer?, _ deviceDesc: UnsafePointer<ze_device_mem_alloc_desc_t>?,
        _ hostDesc: UnsafePointer<ze_host_mem_alloc_desc_t>?, _ size: Int, _ alignment: Int, _ device: OpaquePointer?,
        _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let device = unsafe device == nil ? nil : try deviceRegistry.find(device, "hDevice")
        let desc = try unsafe check(deviceDesc)
        _ = try unsafe check(hostDesc)
        try unsafe allocate(
            Wish(
                kind: .shared, context: context, device: device, size: size, alignment: alignment,
                isRelaxed: isRelaxed(desc.pNext)),
            out)
    }

    private func check(_ desc: UnsafePointer<ze_device_mem_alloc_desc_t>?) throws(Failure) -> ze_device_mem_alloc_desc_t
    {
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC, \.stype, "device_desc")
        try unsafe check(flags: desc.flags, known: 0x7, "device_desc->flags")
        if unsafe desc.ordinal != 0 {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                unsafe "device_desc->ordinal is \(desc.ordinal), but there is one memory, 0")
        }
        return unsafe desc
    }

    private func check(_ desc: UnsafePointer<ze_host_mem_alloc_desc_t>?) throws(Failure) -> ze_host_mem_alloc_desc_t {
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC, \.stype, "host_desc")
        try unsafe check(flags: desc.flags, known: 0xf, "host_desc->flags")
        return unsafe desc
    }

    private func isRelaxed(_ next: UnsafeRawPointer?) -> Bool {
        var flags: UInt32 = 0
        unsafe extend(next) { type, structure in
            if type == ZE_STRUCTURE_TYPE_RELAXED_ALLOCATION_LIMITS_EXP_DESC.rawValue {
                flags = unsafe structure.assumingMemoryBound(to: ze_relaxed_allocation_limits_exp_desc_t.self).pointee
                    .flags
            }
        }
        return flags & ZE_RELAXED_ALLOCATION_LIMITS_EXP_FLAG_MAX_SIZE.rawValue != 0
    }

    private func allocate(_ wish: Wish, _ out: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) throws(Failure) {
        let out = try unsafe require(out, "pptr")
        unsafe out.pointee = nil
        if wish.size <= 0 { throw .violation(ZE_RESULT_ERROR_UNSUPPORTED_SIZE, "size is \(wish.size)") }
        if wish.alignment < 0 || wish.alignment & (wish.alignment - 1) != 0 || wish.alignment > 1 << 21 {
            throw .violation(
                ZE_RESULT_ERROR_UNSUPPORTED_ALIGNMENT,
                "alignment is \(wish.alignment), must be 0 or a power of two up to 2 MB")
        }
        if wish.context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        let outOfMemory =
            wish.kind == .host ? ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY : ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY
        allocations += 1
        if options.failAllocation?.hits(allocations) ?? false {
            throw .refusal(outOfMemory, "injected fault: allocation \(allocations) fails (SOFTXPU_FAIL_ALLOC)")
        }
        if let device = wish.device {
            if UInt64(wish.size) > device.profile.largestAllocation && !wish.isRelaxed {
                throw .refusal(
                    ZE_RESULT_ERROR_UNSUPPORTED_SIZE,
                    "\(wish.size) bytes are more than maxMemAllocSize (\(device.profile.largestAllocation)); larger allocations need "
                        + "ze_relaxed_allocation_limits_exp_desc_t with MAX_SIZE")
            }
            if UInt64(wish.size) > device.memory - min(device.used, device.memory) {
                throw .refusal(
                    outOfMemory,
                    "\(wish.size) bytes asked for, \(device.memory - device.used) of \(device.memory) are free")
            }
        }
        guard
            let allocation = Allocation(
                allocations, wish.kind, wish.context, wish.device, size: wish.size, alignment: wish.alignment)
        else { throw .refusal(outOfMemory, "the system has no \(wish.size) bytes left") }
        wish.device?.used += UInt64(wish.size)
        memory.insert(allocation)
        if options.protection != .never && wish.kind == .device { allocation.lock() }
        unsafe out.pointee = UnsafeMutableRawPointer(bitPattern: allocation.start)
    }

    func memFree(_ context: OpaquePointer?, _ pointer: UnsafeMutableRawPointer?) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let address = unsafe UInt(bitPattern: try requireRaw(pointer, "ptr"))
        guard let allocation = memory.owner(address) else {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT, "ptr 0x\(String(address, radix: 16)) is no allocation of this driver")
        }
        if allocation.isFreed {
            throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(allocation.label) was freed before")
        }
        if address != allocation.start {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "ptr is not the start of \(allocation.label): off by \(Int(address) - Int(allocation.start))")
        }
        if allocation.context !== context {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(allocation.label) belongs to \(allocation.context.label), not \(context.label)")
        }
        for queue in queues.sorted {
            if let user = queue.pending.first(where: { $0.command.allocations.contains { $0 === allocation } }) {
                throw .violation(
                    ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE,
                    "\(allocation.label) is used by \(user.command.label), which is submitted and not complete; wait for it first"
                )
            }
        }
        let damage = damageText(allocation)
        allocation.device?.used -= UInt64(allocation.size)
        unlocked.removeAll { $0 === allocation }
        memory.free(allocation)
        if let damage { throw .violation(ZE_RESULT_ERROR_UNKNOWN, damage) }
    }

    private func requireRaw(_ pointer: UnsafeMutableRawPointer?, _ name: String) throws(Failure)
        -> UnsafeMutableRawPointer
    {
        guard let pointer = unsafe pointer else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "\(name) is NULL")
        }
        return unsafe pointer
    }

    func memGetAllocProperties(
        _ context: OpaquePointer?, _ pointer: UnsafeRawPointer?,
        _ out: UnsafeMutablePointer<ze_memory_allocation_properties_t>?, _ device: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        _ = try unsafe contexts.find(context, "hContext")
        let out = try unsafe structure(
            out, ZE_STRUCTURE_TYPE_MEMORY_ALLOCATION_PROPERTIES, \.stype, "pMemAllocProperties")
        let owner = memory.owner(UInt(bitPattern: pointer)).flatMap { $0.isFreed ? nil : $0 }
        let types = [ZE_MEMORY_TYPE_DEVICE, ZE_MEMORY_TYPE_HOST, ZE_MEMORY_TYPE_SHARED]
        unsafe out.pointee.type = owner.map { types[Int($0.kind.rawValue)] } ?? ZE_MEMORY_TYPE_UNKNOWN
        unsafe out.pointee.id = UInt64(owner?.serial ?? 0)
        unsafe out.pointee.pageSize = owner == nil ? 0 : UInt64(Allocation.pageSize)
        unsafe device?.pointee = owner?.device?.handle
    }

    func memGetAddressRange(
        _ context: OpaquePointer?, _ pointer: UnsafeRawPointer?,
        _ base: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
        _ size: UnsafeMutablePointer<Int>?
    ) throws(Failure) {
        _ = try unsafe contexts.find(context, "hContext")
        guard let owner = memory.owner(UInt(bitPattern: pointer)), !owner.isFreed else {
            throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "ptr is in no allocation of this driver")
        }
        unsafe base?.pointee = UnsafeMutableRawPointer(bitPattern: owner.start)
        unsafe size?.pointee = owner.size
    }

    /// Memory that a command names. It must be inside of one allocation, or memory that is none of the driver's.
    func span(
        _ pointer: UnsafeRawPointer?, _ size: Int, _ name: String, needsAllocation: Bool = false
    ) throws(Failure) -> Command.Span {
        guard let pointer = unsafe pointer else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "\(name) is NULL")
        }
        let address = UInt(bitPattern: pointer)
        let last = address &+ UInt(max(size, 1)) &- 1
        guard let owner = memory.owner(address) ?? memory.owner(last) else {
            if needsAllocation {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(name) 0x\(String(address, radix: 16)) is in no allocation of this driver")
            }
            return Command.Span(address: address, size: size, allocation: nil)
        }
        if owner.isFreed {
            throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(name) points into \(owner.label), which was freed")
        }
        if address < owner.start || last >= owner.end {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name): bytes \(Int(address) - Int(owner.start)) to \(Int(last) - Int(owner.start)) are not all inside of \(owner.label)"
            )
        }
        return Command.Span(address: address, size: size, allocation: owner)
    }
}
