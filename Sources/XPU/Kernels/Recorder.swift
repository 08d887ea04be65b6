/// Appends launches and copies to a command list, with a barrier only between commands of which one writes what the other uses.
struct Recorder: ~Copyable {
    let kernels: KernelSet
    private let list: CommandList
    private let timer: LaunchTimer?
    /// What the launches from now on belong to: an operation's index; `nil` for what belongs to none.
    var operation: Int?
    private var read: Set<UInt> = []
    private var written: Set<UInt> = []
    private(set) var launches = 0
    private(set) var barriers = 0

    /// - Parameter timer: Gets the launches; `nil`: nothing is timed.
    init(_ list: consuming CommandList, _ kernels: KernelSet, _ timer: LaunchTimer? = nil) {
        self.list = list
        self.timer = timer
        self.kernels = kernels
    }

    mutating func launch(
        _ name: KernelName, groups: (Int, Int, Int), size: Int, _ arguments: [Argument]
    ) throws(XPUError) {
        var reads: [UInt] = []
        var writes: [UInt] = []
        for argument in arguments {
            switch argument {
            case .read(let slice?): reads.append(slice.memory)
            case .write(let slice?): writes.append(slice.memory)
            default: break
            }
        }
        try order(reads: reads, writes: writes)
        let event = try timer?.event(of: operation)
        try kernels.with(name) { (kernel) throws(XPUError) in
            try kernel.setGroupSize((size, 1, 1))
            try kernel.set(arguments)
            try list.launch(kernel, groups: groups, signalling: event)
        }
        launches += 1
    }

    mutating func copy(to target: Slice, from source: Slice, bytes: Int) throws(XPUError) {
        try order(reads: [source.memory], writes: [target.memory])
        try list.copy(to: target, from: source, bytes: bytes)
    }

    consuming func finish() throws(XPUError) -> CommandList {
        // Steps follow each other without a wait of the host between the last command and the first of the next.
        try list.barrier()
        try list.close()
        return list
    }

    private mutating func order(reads: [UInt], writes: [UInt]) throws(XPUError) {
        if !written.isDisjoint(with: reads) || !written.isDisjoint(with: writes) || !read.isDisjoint(with: writes) {
            try list.barrier()
            barriers += 1
            read.removeAll(keepingCapacity: true)
            written.removeAll(keepingCapacity: true)
        }
        read.formUnion(reads)
        written.formUnion(writes)
    }
}

/// Kernels by name, made on first use. For one thread at a time.
final class KernelSet {
    private final class Entry {
        let kernel: Kernel
        init(_ kernel: consuming Kernel) { self.kernel = kernel }
    }

    private let library: KernelLibrary
    private var entries: [KernelName: Entry] = [:]

    init(_ library: KernelLibrary) { self.library = library }

    func with(_ name: KernelName, _ body: (borrowing Kernel) throws(XPUError) -> Void) throws(XPUError) {
        if let entry = entries[name] { return try body(entry.kernel) }
        let entry = Entry(try library.kernel(name))
        entries[name] = entry
        try body(entry.kernel)
    }
}
