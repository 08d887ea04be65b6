internal import CSoftXPU

/// zeCommandListAppend…
extension Driver {
    typealias Handles = UnsafeMutablePointer<OpaquePointer?>

    func appendBarrier(_ list: OpaquePointer?, _ synchronization: Synchronization) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendBarrier", synchronization) { (_) throws(Failure) in (.barrier, "") }
    }

    func appendMemoryRangesBarrier(
        _ list: OpaquePointer?, _ count: UInt32, _ sizes: UnsafePointer<Int>?,
        _ ranges: UnsafeMutablePointer<UnsafeRawPointer?>?,
        _ synchronization: Synchronization
    ) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendMemoryRangesBarrier", synchronization) { (_) throws(Failure) in
            guard let sizes = unsafe sizes, let ranges = unsafe ranges else {
                throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "pRangeSizes or pRanges is NULL")
            }
            for i in 0..<Int(count) { _ = try unsafe span(ranges[i], sizes[i], "pRanges[\(i)]") }
            return (.barrier, "")
        }
    }

    func appendMemoryCopy(
        _ list: OpaquePointer?, _ to: UnsafeMutableRawPointer?, _ from: UnsafeRawPointer?, _ size: Int,
        _ synchronization: Synchronization
    ) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendMemoryCopy", synchronization) { (_) throws(Failure) in
            let piece = unsafe Command.CopyPiece(to: try span(to, size, "dstptr"), from: try span(from, size, "srcptr"))
            try checkApart(piece)
            return (.copy(size == 0 ? [] : [piece]), "\(size) bytes")
        }
    }

    private func checkApart(_ piece: Command.CopyPiece) throws(Failure) {
        let (to, from) = (piece.to, piece.from)
        if to.address < from.address + UInt(from.size), from.address < to.address + UInt(to.size) {
            throw .violation(
                ZE_RESULT_ERROR_OVERLAPPING_REGIONS, "the source and the destination of \(to.size) bytes overlap")
        }
    }

    @safe struct Region {
        let base: UnsafeRawPointer?
        let region: UnsafePointer<ze_copy_region_t>?
        let pitch: UInt32
        let slicePitch: UInt32
    }

    func appendMemoryCopyRegion(
        _ list: OpaquePointer?, _ to: Region, _ from: Region, _ synchronization: Synchronization
    ) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendMemoryCopyRegion", synchronization) { (_) throws(Failure) in
            guard let into = unsafe to.region?.pointee, let out = unsafe from.region?.pointee else {
                throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "dstRegion or srcRegion is NULL")
            }
            if (into.width, into.height, into.depth) != (out.width, out.height, out.depth) {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_SIZE, "dstRegion and srcRegion differ in width, height or depth")
            }
            guard let toBase = unsafe to.base, let fromBase = unsafe from.base else {
                throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "dstptr or srcptr is NULL")
            }
            func offset(_ region: ze_copy_region_t, _ side: Region, _ y: Int, _ z: Int) -> Int {
                Int(region.originX) + (Int(region.originY) + y) * Int(side.pitch)
                    + (Int(region.originZ) + z) * Int(side.slicePitch)
            }
            var pieces: [Command.CopyPiece] = []
            for z in 0..<max(1, Int(into.depth)) {
                for y in 0..<max(1, Int(into.height)) {
                    let piece = unsafe Command.CopyPiece(
                        to: try span(
                            toBase + offset(into, to, y, z), Int(into.width), "dstptr, row \(y) of slice \(z)"),
                        from: try unsafe span(
                            fromBase + offset(out, from, y, z), Int(into.width), "srcptr, row \(y) of slice \(z)"))
                    try checkApart(piece)
                    pieces.append(piece)
                }
            }
            return (.copy(pieces), "\(into.width) x \(into.height) x \(into.depth) bytes")
        }
    }

    func appendMemoryFill(
        _ list: OpaquePointer?, _ to: UnsafeMutableRawPointer?, _ pattern: UnsafeRawPointer?, _ patternSize: Int,
        _ size: Int,
        _ synchronization: Synchronization
    ) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendMemoryFill", synchronization) { (list) throws(Failure) in
            guard let pattern = unsafe pattern else {
                throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "pattern is NULL")
            }
            if patternSize <= 0 || patternSize & (patternSize - 1) != 0 || patternSize > list.group.largestPattern {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_SIZE,
                    "pattern_size is \(patternSize), must be a power of two"
                        + (list.group.largestPattern == .max ? "" : " up to \(list.group.largestPattern)"))
            }
            if size % patternSize != 0 {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_SIZE, "size \(size) is no multiple of pattern_size \(patternSize)")
            }
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: pattern, count: patternSize))
            let span = try unsafe span(to, size, "ptr")
            if span.address % UInt(patternSize) != 0 && patternSize <= 16 {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT, "ptr is not aligned to the pattern of \(patternSize) bytes")
            }
            return (.fill(span, pattern: bytes), "\(size) bytes")
        }
    }

    func appendMemoryPrefetch(_ list: OpaquePointer?, _ pointer: UnsafeRawPointer?, _ size: Int) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendMemoryPrefetch") { (_) throws(Failure) in
            _ = try unsafe span(pointer, size, "ptr", needsAllocation: true)
            return (.copy([]), "")
        }
    }

    func appendMemAdvise(_ list: OpaquePointer?, _ pointer: UnsafeRawPointer?, _ size: Int) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendMemAdvise") { (_) throws(Failure) in
            _ = try unsafe span(pointer, size, "ptr", needsAllocation: true)
            return (.copy([]), "")
        }
    }

    func appendSignalEvent(_ list: OpaquePointer?, _ event: OpaquePointer?) throws(Failure) {
        if unsafe event == nil { throw .violation(ZE_RESULT_ERROR_INVALID_NULL_HANDLE, "hEvent is NULL") }
        try unsafe append(list, "zeCommandListAppendSignalEvent", Synchronization(signal: event, count: 0, waits: nil))
        {
            (_) throws(Failure) in (.mark, "")
        }
    }

    func appendWaitOnEvents(_ list: OpaquePointer?, _ count: UInt32, _ events: Handles?) throws(Failure) {
        if unsafe count == 0 || events == nil {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "numEvents is 0 or phEvents is NULL")
        }
        try unsafe append(
            list, "zeCommandListAppendWaitOnEvents", Synchronization(signal: nil, count: count, waits: events)
        ) {
            (_) throws(Failure) in (.mark, "")
        }
    }

    func appendEventReset(_ list: OpaquePointer?, _ event: OpaquePointer?) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendEventReset") { (list) throws(Failure) in
            let event = try unsafe self.event(event, "hEvent", for: list)
            return (.reset(event), event.label)
        }
    }

    func appendWriteGlobalTimestamp(
        _ list: OpaquePointer?, _ to: UnsafeMutablePointer<UInt64>?, _ synchronization: Synchronization
    ) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendWriteGlobalTimestamp", synchronization) { (_) throws(Failure) in
            let span = try unsafe span(to, 8, "dstptr", needsAllocation: true)
            if span.address % 8 != 0 {
                throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "dstptr is not aligned to 8 bytes")
            }
            return (.writeTimestamp(span), "")
        }
    }

    func appendQueryKernelTimestamps(
        _ list: OpaquePointer?, _ count: UInt32, _ handles: Handles?, _ to: UnsafeMutableRawPointer?,
        _ offsets: UnsafePointer<Int>?, _ synchronization: Synchronization
    ) throws(Failure) {
        try unsafe append(list, "zeCommandListAppendQueryKernelTimestamps", synchronization) { (list) throws(Failure) in
            var events: [Event] = []
            for i in 0..<Int(count) {
                let event = try unsafe self.event(handles?[i], "phEvents[\(i)]", for: list)
                try checkTimestamps(event)
                events.append(event)
            }
            let size = MemoryLayout<ze_kernel_timestamp_result_t>.stride
            let places = unsafe offsets.map { offsets in (0..<Int(count)).map { unsafe offsets[$0] } } ?? []
            let length = places.max().map { $0 + size } ?? Int(count) * size
            return unsafe (
                .queryTimestamps(events, try span(to, length, "dstptr", needsAllocation: true), offsets: places), ""
            )
        }
    }

    func appendLaunchKernel(
        _ list: OpaquePointer?, _ kernel: OpaquePointer?, _ groups: UnsafePointer<ze_group_count_t>?, isIndirect: Bool,
        _ synchronization: Synchronization
    ) throws(Failure) {
        let call = isIndirect ? "zeCommandListAppendLaunchKernelIndirect" : "zeCommandListAppendLaunchKernel"
        try unsafe append(list, call, synchronization, computes: true) { (list) throws(Failure) in
            let kernel = try unsafe kernels.find(kernel, "hKernel")
            guard let groups = unsafe groups else {
                throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "pLaunchFuncArgs is NULL")
            }
            if kernel.module.context !== list.context || kernel.module.device !== list.device {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(kernel.label) and \(list.label) are of different contexts or devices")
            }
            let count: Command.Launch.Groups
            if isIndirect {
                count = unsafe .memory(
                    try span(
                        groups, MemoryLayout<ze_group_count_t>.size, "pLaunchArgumentsBuffer", needsAllocation: true))
            } else {
                let sizes = unsafe [groups.pointee.groupCountX, groups.pointee.groupCountY, groups.pointee.groupCountZ]
                if sizes.contains(0) {
                    throw .violation(
                        ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(kernel.label): group count \(sizes) has a zero")
                }
                count = .count(sizes)
            }
            return (.launch(try launch(kernel, count)), kernel.label)
        }
    }

    /// Takes what the kernel was given so far.
    private func launch(_ kernel: Kernel, _ groups: Command.Launch.Groups) throws(Failure) -> Command.Launch {
        guard let groupSize = kernel.groupSize else {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION,
                "\(kernel.label) has no group size; call zeKernelSetGroupSize first")
        }
        var arguments: [Kernel.Argument] = []
        var (local, bytes) = (kernel.executable.localMemory, 0)
        for (i, argument) in kernel.arguments.enumerated() {
            guard let argument else {
                throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(kernel.name(argument: i)) was never set")
            }
            switch argument {
            case .pointer(_, let allocation):
                if let allocation, allocation.isFreed {
                    throw .violation(
                        ZE_RESULT_ERROR_INVALID_ARGUMENT,
                        "\(kernel.name(argument: i)) points into \(allocation.label), which was freed")
                }
                bytes += 8
            case .local(let size): local += size
            case .bytes(let value): bytes += value.count
            }
            arguments.append(argument)
        }
        if local > Int(kernel.profile.localMemory) {
            throw .violation(
                ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY,
                "\(kernel.label) takes \(local) bytes of local memory; \(kernel.profile.name) has \(kernel.profile.localMemory)"
            )
        }
        if bytes > Self.largestArguments {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(kernel.label): \(bytes) bytes of arguments, at most \(Self.largestArguments) are passed")
        }
        return Command.Launch(
            kernel: kernel, groups: groups, groupSize: groupSize, offset: kernel.offset, arguments: arguments,
            indirect: kernel.indirect)
    }
}
