internal import CSoftXPU

final class Device: Object {
    let profile: Profile
    let index: Int
    let memory: UInt64
    /// Bytes that live device and shared allocations take.
    var used: UInt64 = 0

    init(_ serial: Int, _ profile: Profile, index: Int, memory: UInt64) {
        self.profile = profile
        self.index = index
        self.memory = memory
        super.init(.device, serial)
    }

    /// Queue groups: all engines first, then the copy engine.
    var groups: [QueueGroup] { profile.hasCopyEngine ? [.compute, .copy] : [.compute] }
}

struct QueueGroup {
    let computes: Bool
    let largestPattern: Int

    static let compute = QueueGroup(computes: true, largestPattern: Int.max)
    static let copy = QueueGroup(computes: false, largestPattern: 16)
}

final class Context: Object {
    /// Set when a device failed in it: everything but destruction answers "device lost" from then on.
    var isLost = false

    init(_ serial: Int) { super.init(.context, serial) }
}

final class Queue: Object {
    let context: Context
    let device: Device
    let ordinal: Int
    let isSynchronous: Bool
    let isInOrder: Bool
    /// The immediate list that this is the queue of, for messages.
    var isImmediate = false
    /// What was submitted and is not complete, oldest first.
    var pending: [Pending] = []

    init(_ serial: Int, _ context: Context, _ device: Device, ordinal: Int, isSynchronous: Bool, isInOrder: Bool) {
        self.context = context
        self.device = device
        self.ordinal = ordinal
        self.isSynchronous = isSynchronous
        self.isInOrder = isInOrder
        super.init(.queue, serial)
    }
}

final class CommandList: Object {
    let context: Context
    let device: Device
    let ordinal: Int
    let isInOrder: Bool
    /// Set for immediate lists.
    let queue: Queue?
    var isOpen = true
    var commands: [Command] = []
    /// Commands ever appended, for messages.
    var appended = 0
    /// Submissions that are not complete.
    var inFlight = 0

    init(_ serial: Int, _ context: Context, _ device: Device, ordinal: Int, isInOrder: Bool, queue: Queue?) {
        self.context = context
        self.device = device
        self.ordinal = ordinal
        self.isInOrder = isInOrder
        self.queue = queue
        super.init(.list, serial)
    }

    var group: QueueGroup { device.groups[ordinal] }
}

final class Fence: Object {
    let queue: Queue
    var isSignalled: Bool
    /// Submitted and not yet signalled.
    var isPending = false

    init(_ serial: Int, _ queue: Queue, isSignalled: Bool) {
        self.queue = queue
        self.isSignalled = isSignalled
        super.init(.fence, serial)
    }
}

final class EventPool: Object {
    let context: Context
    let count: Int
    let isHostVisible: Bool
    let hasTimestamps: Bool
    var events: [Int: Event] = [:]

    init(_ serial: Int, _ context: Context, count: Int, isHostVisible: Bool, hasTimestamps: Bool) {
        self.context = context
        self.count = count
        self.isHostVisible = isHostVisible
        self.hasTimestamps = hasTimestamps
        super.init(.eventPool, serial)
    }
}

final class Event: Object {
    let pool: EventPool
    let index: Int
    var isSignalled = false
    /// Ticks at which the command that signalled it began and ended.
    var times: (start: UInt64, end: UInt64)?

    init(_ serial: Int, _ pool: EventPool, index: Int) {
        self.pool = pool
        self.index = index
        super.init(.event, serial)
    }
}

final class Module: Object {
    let context: Context
    let device: Device
    let code: SPIRV
    let program: Program
    /// Bytes of the built program, as zeModuleGetNativeBinary gives them.
    let binary: [UInt8]
    let options: BuildOptions
    var kernels = 0

    init(
        _ serial: Int, _ context: Context, _ device: Device, code: SPIRV, program: Program, binary: [UInt8],
        options: BuildOptions
    ) {
        self.context = context
        self.device = device
        self.code = code
        self.program = program
        self.binary = binary
        self.options = options
        super.init(.module, serial)
    }
}

final class BuildLog: Object {
    let text: String

    init(_ serial: Int, _ text: String) {
        self.text = text
        super.init(.buildLog, serial)
    }
}

/// The memory of a device as the system management tables show it.
final class MemoryModule: Object {
    let device: Device

    init(_ serial: Int, _ device: Device) {
        self.device = device
        super.init(.memoryModule, serial)
    }
}
