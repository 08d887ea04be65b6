internal import CSoftXPU

/// zeCommandQueue…, zeFence…
extension Driver {
    func commandQueueCreate(
        _ context: OpaquePointer?, _ device: OpaquePointer?, _ desc: UnsafePointer<ze_command_queue_desc_t>?,
        _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let out = try unsafe require(out, "phCommandQueue")
        unsafe out.pointee = try makeQueue(context, device, desc, "desc").handle
    }

    // Newer than the headers: in-order lists and queues.
    static let inOrderQueueFlag: UInt32 = 1 << 1
    static let inOrderListFlag: UInt32 = 1 << 3

    func makeQueue(
        _ context: OpaquePointer?, _ device: OpaquePointer?, _ desc: UnsafePointer<ze_command_queue_desc_t>?,
        _ name: String
    ) throws(Failure) -> Queue {
        let context = try unsafe contexts.find(context, "hContext")
        let device = try unsafe deviceRegistry.find(device, "hDevice")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC, \.stype, name)
        try unsafe check(flags: desc.flags, known: 1 | Self.inOrderQueueFlag, "\(name)->flags")
        if unsafe desc.mode.rawValue > ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS.rawValue || desc.priority.rawValue > 2 {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ENUMERATION,
                unsafe "\(name)->mode \(desc.mode.rawValue) or priority \(desc.priority.rawValue) is none that exists")
        }
        try unsafe check(ordinal: desc.ordinal, on: device, "\(name)->ordinal")
        if unsafe desc.index != 0 {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                unsafe "\(name)->index is \(desc.index), but each group of \(device.profile.name) has one queue")
        }
        if context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        return queues.add {
            unsafe Queue(
                $0, context, device, ordinal: Int(desc.ordinal),
                isSynchronous: desc.mode == ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS,
                isInOrder: desc.flags & Self.inOrderQueueFlag != 0)
        }
    }

    func check(ordinal: UInt32, on device: Device, _ name: String) throws(Failure) {
        if ordinal >= device.groups.count {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name) is \(ordinal), but \(device.profile.name) has \(device.groups.count) queue groups")
        }
    }

    func commandQueueDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let queue = try unsafe queues.find(handle, "hCommandQueue")
        try destroy(queue)
    }

    func destroy(_ queue: Queue) throws(Failure) {
        if let first = queue.pending.first, !first.submission.hangs {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE,
                "\(first.command.label) on \(queue.label) is not complete; synchronize first")
        }
        if let fence = fences.sorted.first(where: { $0.queue === queue }) {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE, "\(queue.label) still has \(fence.label); destroy it first")
        }
        for pending in queue.pending { pending.submission.lists.forEach { $0.inFlight = 0 } }
        queue.pending = []
        queues.remove(queue)
    }

    func commandQueueExecuteCommandLists(
        _ handle: OpaquePointer?, _ count: UInt32, _ handles: UnsafeMutablePointer<OpaquePointer?>?,
        _ fence: OpaquePointer?
    ) throws(Failure) {
        let queue = try unsafe queues.find(handle, "hCommandQueue")
        guard let handles = unsafe handles else {
            throw .violation(ZE_RESULT_ERROR_INVALID_NULL_POINTER, "phCommandLists is NULL")
        }
        if count == 0 { throw .violation(ZE_RESULT_ERROR_INVALID_SIZE, "numCommandLists is 0") }
        var found: [CommandList] = []
        for i in 0..<Int(count) {
            let list = try unsafe lists.find(handles[i], "phCommandLists[\(i)]")
            if list.queue != nil {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, "\(list.label) is immediate: it executes by itself")
            }
            if list.isOpen {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(list.label) is open; call zeCommandListClose before it is executed")
            }
            if list.ordinal != queue.ordinal {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE,
                    "\(list.label) is for queue group \(list.ordinal), \(queue.label) is of group \(queue.ordinal)")
            }
            if list.context !== queue.context || list.device !== queue.device {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(list.label) and \(queue.label) are of different contexts or devices")
            }
            if list.inFlight > 0 || found.contains(where: { $0 === list }) {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT,
                    "\(list.label) is still executing; wait for it before it is executed again")
            }
            found.append(list)
        }
        let signalled = unsafe fence == nil ? nil : try fences.find(fence, "hFence")
        if let signalled {
            if signalled.queue !== queue {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT,
                    "\(signalled.label) was made for \(signalled.queue.label), not \(queue.label)")
            }
            if signalled.isSignalled || signalled.isPending {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT,
                    "\(signalled.label) is \(signalled.isPending ? "in use by an earlier submission" : "signalled already; call zeFenceReset first")"
                )
            }
        }
        for list in found where list.isInOrder != found[0].isInOrder {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(list.label): in-order and other lists in one submission")
        }
        try submit(
            found.flatMap(\.commands), of: found, to: queue, isOrdered: queue.isInOrder || found[0].isInOrder,
            fence: signalled)
        if queue.isSynchronous { try finish(queue, timeout: .max) }
    }

    func finish(_ queue: Queue, timeout: UInt64) throws(Failure) {
        try wait(queue.context, timeout: timeout, for: queue.label) { queue.pending.isEmpty }
    }

    func commandQueueSynchronize(_ handle: OpaquePointer?, _ timeout: UInt64) throws(Failure) {
        try unsafe finish(queues.find(handle, "hCommandQueue"), timeout: timeout)
    }

    func fenceCreate(
        _ queue: OpaquePointer?, _ desc: UnsafePointer<ze_fence_desc_t>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let queue = try unsafe queues.find(queue, "hCommandQueue")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_FENCE_DESC, \.stype, "desc")
        try unsafe check(flags: desc.flags, known: 1, "desc->flags")
        let out = try unsafe require(out, "phFence")
        unsafe out.pointee = fences.add { unsafe Fence($0, queue, isSignalled: desc.flags & 1 != 0) }.handle
    }

    func fenceDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let fence = try unsafe fences.find(handle, "hFence")
        if fence.isPending, fence.queue.pending.first?.submission.hangs != true {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE, "\(fence.label) is in use by a submission; wait for it first")
        }
        fence.queue.pending.removeAll { if case .fence(let used) = $0.command.action { used === fence } else { false } }
        fences.remove(fence)
    }

    func fenceHostSynchronize(_ handle: OpaquePointer?, _ timeout: UInt64) throws(Failure) {
        let fence = try unsafe fences.find(handle, "hFence")
        try wait(fence.queue.context, timeout: timeout, for: fence.label) { fence.isSignalled }
    }

    func fenceReset(_ handle: OpaquePointer?) throws(Failure) {
        let fence = try unsafe fences.find(handle, "hFence")
        if fence.isPending {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE, "\(fence.label) is in use by a submission; wait for it first")
        }
        fence.isSignalled = false
    }
}
