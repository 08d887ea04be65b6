internal import CSoftXPU

/// zeCommandList…: the life of lists, and what all appended commands have in common.
extension Driver {
    func commandListCreate(
        _ context: OpaquePointer?, _ device: OpaquePointer?, _ desc: UnsafePointer<ze_command_list_desc_t>?,
        _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let device = try unsafe deviceRegistry.find(device, "hDevice")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_COMMAND_LIST_DESC, \.stype, "desc")
        try unsafe check(flags: desc.flags, known: 0x7 | Self.inOrderListFlag, "desc->flags")
        try unsafe check(ordinal: desc.commandQueueGroupOrdinal, on: device, "desc->commandQueueGroupOrdinal")
        if context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        let out = try unsafe require(out, "phCommandList")
        unsafe out.pointee =
            unsafe lists.add {
                unsafe CommandList(
                    $0, context, device, ordinal: Int(desc.commandQueueGroupOrdinal),
                    isInOrder: desc.flags & Self.inOrderListFlag != 0, queue: nil)
            }.handle
    }

    func commandListCreateImmediate(
        _ context: OpaquePointer?, _ device: OpaquePointer?, _ desc: UnsafePointer<ze_command_queue_desc_t>?,
        _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let out = try unsafe require(out, "phCommandList")
        let queue = try unsafe makeQueue(context, device, desc, "altdesc")
        queue.isImmediate = true
        unsafe out.pointee =
            unsafe lists.add {
                CommandList(
                    $0, queue.context, queue.device, ordinal: queue.ordinal, isInOrder: queue.isInOrder, queue: queue)
            }.handle
    }

    func commandListDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let list = try unsafe lists.find(handle, "hCommandList")
        if let queue = list.queue { try destroy(queue) } else { try checkIdle(list) }
        lists.remove(list)
    }

    private func checkIdle(_ list: CommandList) throws(Failure) {
        if list.inFlight > 0 {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE, "\(list.label) is still executing; wait for it first")
        }
    }

    private func regular(_ handle: OpaquePointer?) throws(Failure) -> CommandList {
        let list = try unsafe lists.find(handle, "hCommandList")
        if list.queue != nil {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE, "\(list.label) is immediate: it is never closed or reset")
        }
        return list
    }

    func commandListClose(_ handle: OpaquePointer?) throws(Failure) {
        let list = try unsafe regular(handle)
        if !list.isOpen { throw .violation(ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(list.label) is closed already") }
        list.isOpen = false
    }

    func commandListReset(_ handle: OpaquePointer?) throws(Failure) {
        let list = try unsafe regular(handle)
        try checkIdle(list)
        list.commands = []
        list.appended = 0
        list.isOpen = true
    }

    /// Events of one append.
    @safe struct Synchronization {
        let signal: OpaquePointer?
        let count: UInt32
        let waits: UnsafeMutablePointer<OpaquePointer?>?
    }

    /// Appends a command; an immediate list submits it. `make` checks the arguments and says what the command does and how it is called.
    func append(
        _ handle: OpaquePointer?, _ call: String, _ synchronization: Synchronization? = nil, computes: Bool = false,
        _ make: (CommandList) throws(Failure) -> (Command.Action, String)
    ) throws(Failure) {
        let list = try unsafe lists.find(handle, "hCommandList")
        if !list.isOpen {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT, "\(list.label) is closed; call zeCommandListReset before appending")
        }
        if computes && !list.group.computes {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_COMMAND_LIST_TYPE,
                "\(list.label) is for queue group \(list.ordinal), which only copies")
        }
        if list.context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        var waits: [Event] = []
        var signal: Event?
        if let synchronization {
            if unsafe synchronization.count > 0 && synchronization.waits == nil {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_SIZE, "numWaitEvents is \(synchronization.count), but phWaitEvents is NULL")
            }
            for i in 0..<Int(synchronization.count) {
                unsafe waits.append(try event(synchronization.waits![i], "phWaitEvents[\(i)]", for: list))
            }
            if let handle = unsafe synchronization.signal {
                signal = try unsafe event(handle, "hSignalEvent", for: list)
            }
            if let signal, waits.contains(where: { $0 === signal }) {
                throw .violation(
                    ZE_RESULT_ERROR_INVALID_ARGUMENT, "the command waits for \(signal.label), which it signals itself")
            }
        }
        let (action, about) = try make(list)
        list.appended += 1
        let label = "\(call)\(about.isEmpty ? "" : " (\(about))"), command \(list.appended) of \(list.label)"
        let command = Command(label: label, action: action, waits: waits, signal: signal)
        guard let queue = list.queue else {
            list.commands.append(command)
            return
        }
        try submit([command], of: [list], to: queue, isOrdered: list.isInOrder, fence: nil)
        if queue.isSynchronous { try finish(queue, timeout: .max) }
    }

    func event(_ handle: OpaquePointer?, _ name: String, for list: CommandList) throws(Failure) -> Event {
        let event = try unsafe events.find(handle, name)
        if event.pool.context !== list.context {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(name): \(event.label) belongs to \(event.pool.context.label), \(list.label) to \(list.context.label)"
            )
        }
        return event
    }
}
