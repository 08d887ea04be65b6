internal import CSoftXPU

/// zeKernel…
extension Driver {
    func kernelCreate(
        _ module: OpaquePointer?, _ desc: UnsafePointer<ze_kernel_desc_t>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let module = try unsafe modules.find(module, "hModule")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_KERNEL_DESC, \.stype, "desc")
        try unsafe check(flags: desc.flags, known: 0x3, "desc->flags")
        let out = try unsafe require(out, "phKernel")
        guard let text = unsafe desc.pKernelName else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "desc->pKernelName is NULL")
        }
        let name = unsafe String(cString: text)
        guard let entry = module.code.kernel(name) else {
            let names = module.code.kernels.map(\.name).joined(separator: ", ")
            throw .violation(
                ZE_RESULT_ERROR_INVALID_KERNEL_NAME, "\(module.label) has no kernel \"\(name)\"; it has \(names)")
        }
        guard let executable = try runtime().kernel(module.program, name) else {
            throw .refusal(ZE_RESULT_ERROR_INVALID_KERNEL_NAME, "the runtime makes no kernel \"\(name)\"")
        }
        let profile = module.device.profile
        if executable.localMemory > Int(profile.localMemory) {
            throw .violation(
                ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY,
                "kernel \"\(name)\" declares \(executable.localMemory) bytes of local memory; \(profile.name) has \(profile.localMemory)"
            )
        }
        module.kernels += 1
        let kernel = kernels.add { Kernel($0, module, entry, executable) }
        if unsafe desc.flags & ZE_KERNEL_FLAG_FORCE_RESIDENCY.rawValue != 0 {
            kernel.indirect = [.device, .host, .shared]
        }
        unsafe out.pointee = kernel.handle
    }

    func kernelDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        try checkUnused(kernel.label) { command in
            if case .launch(let launch) = command.action { launch.kernel === kernel } else { false }
        }
        kernel.module.kernels -= 1
        kernels.remove(kernel)
    }

    /// Something may not be destroyed while a command that uses it is submitted and not complete.
    func checkUnused(_ label: String, _ uses: (Command) -> Bool) throws(Failure) {
        for queue in queues.sorted {
            if let user = queue.pending.first(where: { uses($0.command) }) {
                throw .violation(
                    ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE,
                    "\(label) is used by \(user.command.label), which is submitted and not complete; wait for it first")
            }
        }
    }

    func kernelSetGroupSize(_ handle: OpaquePointer?, _ size: [UInt32]) throws(Failure) {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        try kernel.check(groupSize: size)
        kernel.groupSize = size
    }

    func kernelSetGlobalOffset(_ handle: OpaquePointer?, _ offset: [UInt32]) throws(Failure) {
        try unsafe kernels.find(handle, "hKernel").offset = offset
    }

    /// Suggests the largest power of two in each dimension that divides the global size, filling from the first.
    func kernelSuggestGroupSize(
        _ handle: OpaquePointer?, _ global: [UInt32], _ out: [UnsafeMutablePointer<UInt32>?]
    ) throws(Failure) {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        if global.contains(0) {
            throw .violation(ZE_RESULT_ERROR_INVALID_GLOBAL_WIDTH_DIMENSION, "global size \(global) has a zero")
        }
        var room = min(kernel.largestGroup, 256)
        for unsafe(i, pointer) in unsafe out.enumerated() {
            var size = kernel.entry.requiredGroupSize?[i] ?? 1
            if kernel.entry.requiredGroupSize == nil {
                while size * 2 <= room && global[i] % (size * 2) == 0 { size *= 2 }
                room /= size
            }
            try unsafe require(pointer, "groupSize").pointee = size
        }
    }

    func kernelSetArgumentValue(
        _ handle: OpaquePointer?, _ index: UInt32, _ size: Int, _ value: UnsafeRawPointer?
    ) throws(Failure) {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        guard index < kernel.arguments.count else {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(kernel.label) has \(kernel.arguments.count) arguments, there is no argument \(index)")
        }
        let name = kernel.name(argument: Int(index))
        func wrongSize(_ what: String, _ expected: Int) -> Failure {
            .violation(
                ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE,
                "\(name) is \(what) of \(expected) bytes, but argSize is \(size)")
        }
        switch kernel.entry.parameters[Int(index)].kind {
        case .value(let expected, let type):
            if size != expected { throw wrongSize("a value (\(type))", expected) }
            guard let value = unsafe value else {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(name) is a value (\(type)), but pArgValue is NULL")
            }
            kernel.arguments[Int(index)] = unsafe .bytes(Array(UnsafeRawBufferPointer(start: value, count: size)))
        case .local:
            if unsafe value != nil {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(name) is local memory: pArgValue must be NULL, argSize its size")
            }
            if size <= 0 || size > Int(kernel.profile.localMemory) {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE,
                    "\(name): \(size) bytes of local memory; \(kernel.profile.name) has \(kernel.profile.localMemory)")
            }
            kernel.arguments[Int(index)] = .local(size)
        case .pointer(let alignment):
            if size != 8 { throw wrongSize("a pointer", 8) }
            let address = unsafe value?.loadUnaligned(as: UInt.self) ?? 0
            if address == 0 {
                kernel.arguments[Int(index)] = .pointer(0, nil)
                return
            }
            let span = try unsafe span(UnsafeRawPointer(bitPattern: address), 1, name, needsAllocation: true)
            try check(span.allocation!, for: kernel, name)
            if address % UInt(alignment) != 0 {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(name) points at elements aligned to \(alignment) bytes, but 0x\(String(address, radix: 16)) is not"
                )
            }
            kernel.arguments[Int(index)] = .pointer(address, span.allocation)
        case .unsupported(let what): throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(name) is \(what)")
        }
    }

    /// Memory must be the kernel's context's and device's, and within 4 GB unless the module was built for more.
    private func check(_ allocation: Allocation, for kernel: Kernel, _ name: String) throws(Failure) {
        let module = kernel.module
        if allocation.context !== module.context {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name): \(allocation.label) belongs to \(allocation.context.label), the kernel to \(module.context.label)"
            )
        }
        if allocation.kind == .device, let device = allocation.device, device !== module.device {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name): \(allocation.label) lives on \(device.label), the kernel on \(module.device.label)")
        }
        if UInt64(allocation.size) > kernel.profile.largestAllocation && !module.options.allowsLargeBuffers {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name): \(allocation.label) is larger than 4 GB; build the module with -ze-opt-greater-than-4GB-buffer-required"
            )
        }
    }

    func kernelSetIndirectAccess(_ handle: OpaquePointer?, _ flags: UInt32) throws(Failure) {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        try check(flags: flags, known: 0x7, "flags")
        kernel.indirect = []
        if flags & ZE_KERNEL_INDIRECT_ACCESS_FLAG_HOST.rawValue != 0 { kernel.indirect.insert(.host) }
        if flags & ZE_KERNEL_INDIRECT_ACCESS_FLAG_DEVICE.rawValue != 0 { kernel.indirect.insert(.device) }
        if flags & ZE_KERNEL_INDIRECT_ACCESS_FLAG_SHARED.rawValue != 0 { kernel.indirect.insert(.shared) }
    }

    func kernelGetIndirectAccess(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<UInt32>?) throws(Failure) {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        let flags: [(MemoryKind, UInt32)] = [
            (.host, ZE_KERNEL_INDIRECT_ACCESS_FLAG_HOST.rawValue),
            (.device, ZE_KERNEL_INDIRECT_ACCESS_FLAG_DEVICE.rawValue),
            (.shared, ZE_KERNEL_INDIRECT_ACCESS_FLAG_SHARED.rawValue),
        ]
        try unsafe require(out, "pFlags").pointee = flags.reduce(0) { kernel.indirect.contains($1.0) ? $0 | $1.1 : $0 }
    }

    func kernelGetProperties(_ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_kernel_properties_t>?)
        throws(Failure)
    {
        let kernel = try unsafe kernels.find(handle, "hKernel")
        let out = try unsafe structure(out, ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES, \.stype, "pKernelProperties")
        var value = unsafe ze_kernel_properties_t()
        unsafe value.stype = out.pointee.stype
        unsafe value.pNext = out.pointee.pNext
        unsafe value.numKernelArgs = UInt32(kernel.arguments.count)
        let required = kernel.entry.requiredGroupSize ?? [0, 0, 0]
        unsafe value.requiredGroupSizeX = required[0]
        unsafe value.requiredGroupSizeY = required[1]
        unsafe value.requiredGroupSizeZ = required[2]
        unsafe value.requiredSubgroupSize = kernel.entry.subGroupSize ?? 0
        unsafe value.maxSubgroupSize = kernel.subGroupSize
        unsafe value.maxNumSubgroups = kernel.largestGroup / kernel.subGroupSize
        unsafe value.localMemSize = UInt32(kernel.executable.localMemory)
        unsafe value.privateMemSize = UInt32(kernel.executable.privateMemory)
        unsafe withUnsafeMutableBytes(of: &value.uuid) {
            unsafe $0.copyBytes(from: SHA256.hash(kernel.entry.name.utf8).prefix($0.count))
        }
        unsafe out.pointee = value
        unsafe extend(value.pNext) { type, next in
            if type == ZE_STRUCTURE_TYPE_KERNEL_PREFERRED_GROUP_SIZE_PROPERTIES.rawValue {
                unsafe next.assumingMemoryBound(to: ze_kernel_preferred_group_size_properties_t.self).pointee
                    .preferredMultiple =
                    kernel.subGroupSize
            }
        }
    }

    func kernelGetName(
        _ handle: OpaquePointer?, _ size: UnsafeMutablePointer<Int>?, _ out: UnsafeMutablePointer<CChar>?
    ) throws(Failure) {
        try unsafe bytes(Array(kernels.find(handle, "hKernel").entry.name.utf8) + [0], size, out, "pName")
    }
}
