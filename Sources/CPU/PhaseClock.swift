internal import Glibc

/// The time that the phases of a step take, shared out to the operations that they do the work of.
///
/// A phase lasts from barrier to barrier, as the first worker sees it. The operations of a row phase share its time as they share the
/// time of all workers inside its kernels.
@safe
final class PhaseClock: @unchecked Sendable {
    /// Operations of the parts of each phase.
    private let ops: [[Int]]
    /// Where the parts of each phase begin in a worker's times.
    private let firstPart: [Int]
    private let workers: Int
    /// Nanoseconds of each phase.
    private let phaseTimes: UnsafeMutableBufferPointer<UInt64>
    /// Nanoseconds of each part, `[workers, stride]`: workers write to cache lines of their own.
    private let partTimes: UnsafeMutableBufferPointer<UInt64>
    private let stride: Int
    private var last: UInt64 = 0

    init(_ ops: [[Int]], workers: Int) {
        self.ops = ops
        self.workers = workers
        var firstPart: [Int] = []
        var parts = 0
        for phase in ops {
            firstPart.append(parts)
            parts += phase.count
        }
        self.firstPart = firstPart
        let line = 128 / MemoryLayout<UInt64>.stride
        stride = (parts / line + 2) * line
        unsafe phaseTimes = .allocate(capacity: ops.count)
        unsafe partTimes = .allocate(capacity: workers * stride)
    }

    deinit {
        unsafe phaseTimes.deallocate()
        unsafe partTimes.deallocate()
    }

    static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    func reset() {
        unsafe phaseTimes.initialize(repeating: 0)
        unsafe partTimes.initialize(repeating: 0)
    }

    func start(worker: Int) {
        if worker == 0 { last = Self.now() }
    }

    func times(of phase: Int, worker: Int) -> UnsafeMutablePointer<UInt64> {
        guard let base = unsafe partTimes.baseAddress else { preconditionFailure("there are no parts") }
        return unsafe base + worker * stride + firstPart[phase]
    }

    /// Called by every worker behind the barrier at the end of a phase.
    func finish(_ phase: Int, worker: Int) {
        guard worker == 0 else { return }
        let now = Self.now()
        unsafe phaseTimes[phase] = now - last
        last = now
    }

    /// Adds the seconds of each operation.
    func add(to seconds: inout [Double]) {
        for (phase, ops) in ops.enumerated() {
            let total = unsafe Double(phaseTimes[phase]) * 1e-9
            let parts = ops.indices.map { part in
                (0..<workers).reduce(0.0) { sum, worker in
                    unsafe sum + Double(partTimes[worker * stride + firstPart[phase] + part])
                }
            }
            let sum = parts.reduce(0, +)
            for (part, op) in ops.enumerated() {
                seconds[op] += total * (sum > 0 ? parts[part] / sum : 1 / Double(ops.count))
            }
        }
    }
}
