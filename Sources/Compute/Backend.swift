package import Quant

/// A device that loads weights into the layout its kernels like and compiles programs.
package protocol Backend: Sendable {
    var device: DeviceInfo { get }
    /// Whether every variant that `op` asks for has a kernel here.
    func supports(_ op: Op) -> Bool
    /// Bytes that the weights of `program` take in the backend's own layout; `nil` where it is about that of the file.
    func weightBytes(_ source: any WeightSource, for program: Program) throws(BackendError) -> Int?
    /// Loads all weights of `program`. `progress` gets the share done, from 0 to 1, on any thread.
    func load(
        _ source: any WeightSource, for program: Program, progress: @escaping @Sendable (Double) -> Void
    ) throws(BackendError) -> any LoadedWeights
    /// Prepares `program` for steps of at most `limits`, with a KV cache of its own.
    func compile(
        _ program: Program, weights: any LoadedWeights, cache: KVCacheConfiguration, limits: StepLimits
    ) throws(BackendError) -> any Executable
}

extension Backend {
    package func weightBytes(_ source: any WeightSource, for program: Program) throws(BackendError) -> Int? { nil }
}

/// Weights in a backend's own layout. Only the backend that made them can read them.
package protocol LoadedWeights: AnyObject, Sendable {
    /// Bytes of memory that the weights occupy.
    var byteCount: Int { get }
    /// Takes some of the short steps that make products faster but that a first token should not wait for. Between two steps of the
    /// program; the numbers stay the same.
    ///
    /// - Parameters:
    ///   - steps: Steps of the program since the weights were loaded. What would not pay in a process that ended now can wait.
    ///   - time: How long it may take, about; the shortest of these steps is taken in any case.
    /// - Returns: Whether there is more to do, now or later.
    func settle(afterSteps steps: Int, within time: Duration) -> Bool
}

extension LoadedWeights {
    package func settle(afterSteps steps: Int, within time: Duration) -> Bool { false }
}

/// A compiled program with its KV cache. Confined to one thread at a time.
package protocol Executable: AnyObject {
    /// Runs one step. `outputs` receives `inputs.outputRows.count` rows of logits, or heads of those that ask for one.
    func run(_ inputs: borrowing StepInputs, into outputs: inout StepOutputs) throws(BackendError)
    /// Runs one step in the same way and adds the seconds that each operation of the program took to `seconds`, by index. What
    /// belongs to none (taking the inputs over, handing the logits out) is left out.
    func run(
        _ inputs: borrowing StepInputs, into outputs: inout StepOutputs, timing seconds: inout [Double]
    ) throws(BackendError)

    /// Whether steps hand out heads of rows (``StepInputs/heads``); otherwise every row comes itself.
    var givesHeads: Bool { get }
    /// Brings an output row of the last step that has not come yet (``RowDelivery/hasRow``), as it was processed. On the thread that
    /// runs the steps.
    func fetch(_ row: Int, into outputs: inout StepOutputs) throws(BackendError)
    /// The same for one block of a row that has given a head (``RowDelivery/block``).
    func fetch(_ row: Int, block: Int, into outputs: inout StepOutputs) throws(BackendError)

    /// Whether steps can be timed by operation.
    var timesOperations: Bool { get }

    /// What the last step cost the host and the device's queue; `nil` where the host itself computes.
    var lastStepCost: StepCost? { get }

    /// Threads of the host that have nothing to do between two steps, the caller's included.
    var hostWorkers: Int { get }
    /// Runs `body(worker)` on each of these threads and returns when all are done. Between steps only.
    func runOnHost(_ body: @escaping (_ worker: Int) -> Void)
}

/// A step of a device beside what it computes.
package struct StepCost: Sendable {
    /// Kernels in the step's list.
    package let launches: Int
    /// From the call to its return, without the wait for the device.
    package let onHost: Duration
    /// Bytes that went to the device and came back, rows that were fetched afterwards included.
    package let bytesToDevice: Int
    package var bytesToHost: Int

    package init(launches: Int, onHost: Duration, bytesToDevice: Int, bytesToHost: Int) {
        self.launches = launches
        self.onHost = onHost
        self.bytesToDevice = bytesToDevice
        self.bytesToHost = bytesToHost
    }
}

extension Executable {
    package var lastStepCost: StepCost? { nil }
    package var givesHeads: Bool { false }
    package func fetch(_ row: Int, into outputs: inout StepOutputs) throws(BackendError) {
        preconditionFailure("every row has come")
    }
    package func fetch(_ row: Int, block: Int, into outputs: inout StepOutputs) throws(BackendError) {
        preconditionFailure("every row has come")
    }

    package var timesOperations: Bool { false }
    package func run(
        _ inputs: borrowing StepInputs, into outputs: inout StepOutputs, timing seconds: inout [Double]
    ) throws(BackendError) {
        throw .unsupported("a profile")
    }

    package var hostWorkers: Int { 1 }
    package func runOnHost(_ body: @escaping (_ worker: Int) -> Void) { body(0) }
}

package struct DeviceInfo: Sendable {
    /// `cpu`, `xpu:0` …
    package let id: String
    /// Marketing name and the instruction set in use.
    package let name: String
    package let threads: Int
    /// Bytes of memory that a plan may use.
    package let memory: Int
    /// The memory is the device's own, not the host's.
    package let ownsMemory: Bool
    /// Rows from which on a step takes longer with every row, because arithmetic and no longer memory bounds it.
    package let saturatingRows: Int

    package init(
        id: String, name: String, threads: Int, memory: Int, ownsMemory: Bool = false, saturatingRows: Int = 256
    ) {
        self.id = id
        self.name = name
        self.threads = threads
        self.memory = memory
        self.ownsMemory = ownsMemory
        self.saturatingRows = saturatingRows
    }
}

package enum BackendError: Error, Sendable, CustomStringConvertible {
    case unsupported(String)
    /// The system gave no memory for this many bytes.
    case outOfMemory(Int)
    /// A plan does not fit: bytes that it needs and bytes that there are.
    case doesNotFit(needed: Int, available: Int)
    /// A tensor makes no sense to the backend; the text names the tensor, not its file.
    case weights(String)
    /// A tensor could not be read; the text names its file and place.
    case source(String)
    /// The device stopped working; the text says how.
    case device(String)
    /// The same, and what was loaded to it is gone: weights have to be loaded again.
    case lost(String)

    package var description: String {
        switch self {
        case .unsupported(let what): "this device does not support \(what)"
        case .outOfMemory(let bytes): "there is no memory for \((bytes + (1 << 20) - 1) >> 20) MiB more"
        case .doesNotFit(let needed, let available):
            "\(needed >> 20) MiB of device memory are needed, but there are \(available >> 20) MiB: "
                + "\((needed - available) >> 20) MiB are missing"
        case .weights(let text), .source(let text): text
        case .device(let text), .lost(let text): "the device failed: \(text)"
        }
    }
}

/// The KV cache is two pools of blocks: one for the layers that see everything and one for the windowed layers, which need only what
/// is still in reach. A block holds `blockLength` positions of one sequence for all layers of its pool.
package struct KVCacheConfiguration: Sendable {
    /// `F16`, `F32` or `Q8_0`.
    package var format: Format
    package var blockLength: Int
    package var blockCount: Int
    /// Blocks of the windowed layers.
    package var windowBlockCount: Int

    /// - Parameter windowBlockCount: As many as the other layers have, where none is given.
    package init(format: Format, blockLength: Int = 32, blockCount: Int, windowBlockCount: Int? = nil) {
        self.format = format
        self.blockLength = blockLength
        self.blockCount = blockCount
        self.windowBlockCount = windowBlockCount ?? blockCount
    }

    /// Blocks that a layer has.
    package func blockCount(of layer: CacheLayout.Layer) -> Int {
        layer.reach == nil ? blockCount : windowBlockCount
    }
}

/// Largest step that an executable must take.
package struct StepLimits: Sendable {
    package var rows: Int
    package var sequences: Int
    package var outputRows: Int
    /// Positions of the longest sequence; `nil` where one may fill the cache.
    package var positions: Int?

    package init(rows: Int, sequences: Int, outputRows: Int, positions: Int? = nil) {
        self.rows = rows
        self.sequences = sequences
        self.outputRows = outputRows
        self.positions = positions
    }
}

/// Where a backend gets the bytes of weights from, in GGUF layout.
package protocol WeightSource: Sendable {
    /// Names in the order in which reading them is fastest (file order).
    var names: [String] { get }
    func format(of name: String) -> Format?
    /// The bytes of a tensor. They stay valid while the result lives; dropping it lets their pages go.
    func read(_ name: String) throws(BackendError) -> WeightBytes
}

/// Borrowed or owned bytes of one tensor.
@safe
package final class WeightBytes: Sendable {
    package nonisolated(unsafe) let base: UnsafeRawPointer
    package let count: Int
    /// Whether they lie in a mapped file: bytes that are evicted, or that the system needs for others, can be had again.
    package let isMapped: Bool
    private let owner: any Sendable
    private let discard: @Sendable (Range<Int>) -> Void
    private let evict: @Sendable (Range<Int>) -> Void

    /// - Parameters:
    ///   - owner: Kept alive as long as the bytes are in use.
    ///   - isMapped: Whether they lie in a mapped file.
    ///   - discard: Tells the owner that a range of the bytes will not be read again.
    ///   - evict: Tells it that a range will not be read again soon.
    package init(
        base: UnsafeRawPointer, count: Int, owner: any Sendable, isMapped: Bool = false,
        discard: @escaping @Sendable (Range<Int>) -> Void = { _ in },
        evict: @escaping @Sendable (Range<Int>) -> Void = { _ in }
    ) {
        unsafe self.base = base
        self.count = count
        self.owner = owner
        self.isMapped = isMapped
        self.discard = discard
        self.evict = evict
    }

    /// Lets a range go for good: it must not be read again.
    package func discard(_ range: Range<Int>) { discard(range) }

    /// Lets a range leave memory where it can be had again: reading it may be slow the first time.
    package func evict(_ range: Range<Int>) { evict(range) }

    /// A range of these bytes, which keeps all of them alive.
    package func part(_ range: Range<Int>) -> WeightBytes {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        @Sendable func outer(_ inner: Range<Int>) -> Range<Int> {
            range.lowerBound + inner.lowerBound..<range.lowerBound + inner.upperBound
        }
        return unsafe WeightBytes(
            base: base + range.lowerBound, count: range.count, owner: self, isMapped: isMapped,
            discard: { [self] in discard(outer($0)) }, evict: { [self] in evict(outer($0)) })
    }
}

extension WeightSource {
    /// The bytes of a weight, which may be a part of its tensor: whole rows of blocks, as many as its shape asks for.
    package func read(_ weight: WeightDeclaration) throws(BackendError) -> WeightBytes {
        func failure(_ problem: String) -> BackendError { .weights("tensor '\(weight.name)' \(problem)") }
        guard let format = format(of: weight.name) else { throw failure("is missing") }
        guard let rowBytes = format.byteCount(of: weight.columns) else {
            throw failure("has rows of \(weight.columns), no whole blocks of \(format)")
        }
        let byteCount = rowBytes * weight.rows * weight.experts
        guard let offset = format.byteCount(of: weight.offset),
            let tensorBytes = format.byteCount(of: weight.tensorCount)
        else { throw failure("cannot be taken apart at weight \(weight.offset), which is inside a block of \(format)") }
        let bytes = try read(weight.name)
        guard bytes.count == tensorBytes else {
            throw failure("has \(bytes.count) bytes, its shape asks for \(tensorBytes)")
        }
        return byteCount == tensorBytes ? bytes : bytes.part(offset..<offset + byteCount)
    }
}
