internal import CSoftXPU

/// zeEventPool…, zeEvent…
extension Driver {
    func eventPoolCreate(
        _ context: OpaquePointer?, _ desc: UnsafePointer<ze_event_pool_desc_t>?, _ count: UInt32,
        _ handles: UnsafeMutablePointer<OpaquePointer?>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let context = try unsafe contexts.find(context, "hContext")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_EVENT_POOL_DESC, \.stype, "desc")
        try unsafe check(flags: desc.flags, known: 0x7, "desc->flags")
        if unsafe desc.count == 0 { throw .violation(ZE_RESULT_ERROR_INVALID_SIZE, "desc->count is 0") }
        for i in 0..<Int(count) { _ = try unsafe deviceRegistry.find(handles?[i], "phDevices[\(i)]") }
        if context.isLost { throw .answer(ZE_RESULT_ERROR_DEVICE_LOST) }
        let out = try unsafe require(out, "phEventPool")
        unsafe out.pointee =
            unsafe eventPools.add {
                unsafe EventPool(
                    $0, context, count: Int(desc.count),
                    isHostVisible: desc.flags & ZE_EVENT_POOL_FLAG_HOST_VISIBLE.rawValue != 0,
                    hasTimestamps: desc.flags & ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP.rawValue != 0)
            }.handle
    }

    func eventPoolDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let pool = try unsafe eventPools.find(handle, "hEventPool")
        if !pool.events.isEmpty {
            throw .violation(
                ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE,
                "\(pool.label) still has \(pool.events.count) events; destroy them first")
        }
        eventPools.remove(pool)
    }

    func eventCreate(
        _ pool: OpaquePointer?, _ desc: UnsafePointer<ze_event_desc_t>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(Failure) {
        let pool = try unsafe eventPools.find(pool, "hEventPool")
        let desc = try unsafe structure(desc, ZE_STRUCTURE_TYPE_EVENT_DESC, \.stype, "desc")
        try unsafe check(flags: desc.signal, known: 0x7, "desc->signal")
        try unsafe check(flags: desc.wait, known: 0x7, "desc->wait")
        let index = unsafe Int(desc.index)
        if index >= pool.count {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT, "desc->index is \(index), \(pool.label) has room for \(pool.count)")
        }
        if let other = pool.events[index] {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT, "desc->index \(index) of \(pool.label) is taken by \(other.label)")
        }
        let out = try unsafe require(out, "phEvent")
        let event = events.add { Event($0, pool, index: index) }
        pool.events[index] = event
        unsafe out.pointee = event.handle
    }

    func eventDestroy(_ handle: OpaquePointer?) throws(Failure) {
        let event = try unsafe events.find(handle, "hEvent")
        try checkUnused(event.label) { command in command.events.contains { $0 === event } }
        event.pool.events[event.index] = nil
        events.remove(event)
    }

    private func hostEvent(_ handle: OpaquePointer?) throws(Failure) -> Event {
        let event = try unsafe events.find(handle, "hEvent")
        if !event.pool.isHostVisible {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT,
                "\(event.label) is not visible to the host; create its pool with ZE_EVENT_POOL_FLAG_HOST_VISIBLE")
        }
        return event
    }

    func eventHostSignal(_ handle: OpaquePointer?) throws(Failure) {
        let event = try unsafe hostEvent(handle)
        event.isSignalled = true
        stalledSince = nil
        monitor.broadcast()
    }

    func eventHostSynchronize(_ handle: OpaquePointer?, _ timeout: UInt64) throws(Failure) {
        let event = try unsafe hostEvent(handle)
        try wait(event.pool.context, timeout: timeout, for: event.label) { event.isSignalled }
    }

    func eventHostReset(_ handle: OpaquePointer?) throws(Failure) {
        let event = try unsafe hostEvent(handle)
        event.isSignalled = false
        event.times = nil
    }

    func eventQueryKernelTimestamp(
        _ handle: OpaquePointer?, _ out: UnsafeMutablePointer<ze_kernel_timestamp_result_t>?
    ) throws(Failure) {
        let event = try unsafe events.find(handle, "hEvent")
        let out = try unsafe require(out, "dstptr")
        try checkTimestamps(event)
        guard let result = timestamps(event) else {
            if !event.isSignalled { throw .answer(ZE_RESULT_NOT_READY) }
            throw .violation(
                ZE_RESULT_ERROR_INVALID_ARGUMENT,
                "\(event.label) was signalled by the host: no command has put times into it")
        }
        unsafe out.pointee = result
    }

    func checkTimestamps(_ event: Event) throws(Failure) {
        if !event.pool.hasTimestamps {
            throw .violation(
                ZE_RESULT_ERROR_INVALID_SYNCHRONIZATION_OBJECT,
                "\(event.label) has no time stamps; create its pool with ZE_EVENT_POOL_FLAG_KERNEL_TIMESTAMP")
        }
    }
}
