internal import CSoftXPU
import Glibc

/// What commands do.
extension Driver {
    /// Executes a command, for the most part without the lock. Returns what went wrong.
    func perform(_ command: Command, on queue: Queue) -> String? {
        for allocation in command.allocations { unlock(allocation) }
        switch command.action {
        case .barrier, .mark: return nil
        case .fence(let fence):
            fence.isPending = false
            fence.isSignalled = true
            return nil
        case .reset(let event):
            event.isSignalled = false
            event.times = nil
            return nil
        case .launch(let launch): return execute(launch, command.label, queue)
        case .copy(let pieces):
            running(command.label) {
                for piece in pieces { unsafe memmove(piece.to.pointer, piece.from.pointer, piece.to.size) }
            }
            return nil
        case .fill(let span, let pattern):
            running(command.label) {
                for at in stride(from: 0, to: span.size, by: pattern.count) {
                    unsafe pattern.withUnsafeBytes {
                        unsafe span.pointer.advanced(by: at).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
                    }
                }
            }
            return nil
        case .writeTimestamp(let span):
            let now = ticks(Monitor.now, queue.device)
            running(command.label) { unsafe span.pointer.storeBytes(of: now, as: UInt64.self) }
            return nil
        case .queryTimestamps(let events, let span, let offsets):
            let results = events.map { timestamps($0) }
            if let missing = zip(events, results).first(where: { $1 == nil })?.0 {
                return "\(missing.label) has no time stamps yet"
            }
            running(command.label) {
                for (i, result) in results.enumerated() {
                    let at = offsets.isEmpty ? i * MemoryLayout<ze_kernel_timestamp_result_t>.stride : offsets[i]
                    unsafe span.pointer.advanced(by: at).storeBytes(of: result!, as: ze_kernel_timestamp_result_t.self)
                }
            }
            return nil
        }
    }

    /// Time stamps as a device writes them: only as many bits as it says are valid.
    func timestamps(_ event: Event) -> ze_kernel_timestamp_result_t? {
        event.times.map { times in
            let data = ze_kernel_timestamp_data_t(
                kernelStart: times.start & Self.timestampMask, kernelEnd: times.end & Self.timestampMask)
            return ze_kernel_timestamp_result_t(global: data, context: data)
        }
    }

    static let timestampBits: UInt32 = 32
    private static let timestampMask: UInt64 = (1 << UInt64(timestampBits)) - 1

    private func running(_ label: String, _ body: () -> Void) {
        withoutLock {
            unsafe softxpu_set_running(label)
            body()
            softxpu_set_running(nil)
        }
    }

    private func execute(_ launch: Command.Launch, _ label: String, _ queue: Queue) -> String? {
        let groups: [UInt32]
        switch launch.groups {
        case .count(let count): groups = count
        case .memory(let span):
            let count = unsafe span.pointer.loadUnaligned(as: ze_group_count_t.self)
            groups = [count.groupCountX, count.groupCountY, count.groupCountZ]
            // The device reads them: an empty launch is no mistake here.
            if groups.contains(0) { return nil }
        }
        for allocation in memory.reachable(from: queue.context, kinds: launch.indirect) { unlock(allocation) }
        guard let runtime = try? runtime() else { return "the OpenCL runtime is gone" }
        let cl = runtime.cl
        let kernel = unsafe launch.kernel.executable.handle
        for (i, argument) in launch.arguments.enumerated() {
            let index = UInt32(i)
            let status =
                switch argument {
                case .pointer(let address, _):
                    unsafe cl.clSetKernelArgMemPointerINTEL(kernel, index, UnsafeRawPointer(bitPattern: address))
                case .local(let size): unsafe cl.clSetKernelArg(kernel, index, size, nil)
                case .bytes(let bytes): unsafe cl.clSetKernelArg(kernel, index, bytes.count, bytes)
                }
            if status != 0 {
                return "\(launch.kernel.name(argument: i)) is refused by the runtime (OpenCL error \(status))"
            }
        }
        let size = launch.groupSize.map { Int($0) }
        let total = zip(size, groups).map { $0 * Int($1) }
        let offset = launch.offset.map { Int($0) }
        var status: Int32 = 0
        running(label) {
            status = unsafe cl.clEnqueueNDRangeKernel(runtime.queue, kernel, 3, offset, total, size, 0, nil, nil)
            if status == 0 { status = unsafe cl.clFinish(runtime.queue) }
        }
        return status == 0 ? nil : "the runtime does not execute it (OpenCL error \(status))"
    }
}
