internal import Compute
internal import Quant
internal import Synchronization

/// Reads the weights of a program in file order and repacks them on all workers, letting go of the file's pages on the way.
struct WeightLoader {
    let source: any WeightSource
    let program: Program
    let pool: WorkerPool
    let repack: Bool
    let progress: @Sendable (Double) -> Void

    /// Row groups that a worker takes at a time.
    private static let groupsPerTask = 8
    /// Bytes that are checked before the next are touched.
    private static let checkedBytes = 4 << 20

    func load() throws(BackendError) -> CPUWeights {
        let roles = WeightRoles.of(program)
        var matrices = [PackedMatrix?](repeating: nil, count: program.weights.count)
        var vectors = [FloatVector?](repeating: nil, count: program.weights.count)
        var tables = [EmbeddingTable?](repeating: nil, count: program.weights.count)

        let place = Dictionary(source.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let order = program.weights.indices.sorted {
            place[program.weights[$0].name, default: 0] < place[program.weights[$1].name, default: 0]
        }
        let total = program.weights.reduce(0) { $0 + $1.count }
        var done = 0
        for index in order {
            let weight = program.weights[index]
            let format = try format(of: weight)
            guard let rowBytes = format.byteCount(of: weight.columns) else {
                throw failure(weight, "has rows of \(weight.columns), no whole blocks of \(format)")
            }
            let bytes = try source.read(weight)
            if roles[index].contains(.vector) {
                try checkFinite(weight, format, bytes)
                vectors[index] = unsafe FloatVector(format, bytes.base, count: weight.count)
            }
            if roles[index].contains(.table) {
                guard PackedMatrix.supports(format) else {
                    throw failure(weight, "has type \(format), which is not computed")
                }
                // Few rows of it are read later: it need not stay.
                if !roles[index].contains(.matrix) { try checkFinite(weight, format, bytes, evicting: true) }
                tables[index] = EmbeddingTable(
                    bytes, format, rows: weight.rows, columns: weight.columns, rowBytes: rowBytes)
            }
            if roles[index].contains(.matrix) {
                let keep = roles[index].contains(.table)
                matrices[index] = try matrix(weight, format, bytes, rowBytes, keep: keep) { share in
                    progress((Double(done) + share * Double(weight.count)) / Double(total))
                }
            }
            done += weight.count
            progress(Double(done) / Double(total))
        }
        return CPUWeights(matrices: matrices, vectors: vectors, tables: tables)
    }

    private func matrix(
        _ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes, _ rowBytes: Int, keep: Bool,
        progress: (Double) -> Void
    ) throws(BackendError) -> PackedMatrix {
        guard PackedMatrix.supports(format) else { throw failure(weight, "has type \(format), which is not computed") }
        if !repack || !PackedMatrix.repacks(format) {
            try checkFinite(weight, format, bytes)
            let borrowed = unsafe PackedMatrix(
                borrowing: bytes.base, owner: bytes, format: format, rows: weight.rows, columns: weight.columns,
                experts: weight.experts)
            guard let borrowed else { throw failure(weight, "has a shape that cannot be computed") }
            return borrowed
        }
        guard
            let packed = PackedMatrix(
                format: format, rows: weight.rows, columns: weight.columns, experts: weight.experts)
        else { throw .outOfMemory(bytes.count) }
        try pack(weight, format, bytes, rowBytes, keep: keep, into: packed, progress: progress)
        return packed
    }

    /// Lets the bytes go as they are repacked.
    ///
    /// - Parameter keep: Whether something else reads some of them later.
    private func pack(
        _ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes, _ rowBytes: Int, keep: Bool,
        into packed: PackedMatrix, progress: (Double) -> Void
    ) throws(BackendError) {
        let tasksPerExpert = (packed.rowGroups + Self.groupsPerTask - 1) / Self.groupsPerTask
        let tasks = tasksPerExpert * weight.experts
        let counter = WorkCounter()
        let badBlock = Atomic<Int>(Int.max)
        withoutActuallyEscaping(progress) { progress in
            pool.run { worker in
                while true {
                    let task = counter.next()
                    guard task < tasks else { return }
                    let expert = task / tasksPerExpert
                    let first = task % tasksPerExpert * Self.groupsPerTask
                    let groups = first..<min(first + Self.groupsPerTask, packed.rowGroups)
                    let base = expert * weight.rows * rowBytes
                    let rows =
                        groups.lowerBound
                        * PackedMatrix.groupRows..<min(
                            groups.upperBound * PackedMatrix.groupRows, weight.rows)
                    let range = base + rows.lowerBound * rowBytes..<base + rows.upperBound * rowBytes
                    if let block = format.firstNonFiniteBlock(in: bytes, range) {
                        badBlock.min(range.lowerBound / format.blockBytes + block, ordering: .relaxed)
                    }
                    unsafe packed.pack(expert: expert, rowGroups: groups, from: bytes.base + base)
                    if keep { bytes.evict(range) } else { bytes.discard(range) }
                    if worker == 0 { progress(Double(task + 1) / Double(tasks)) }
                }
            }
        }
        let bad = badBlock.load(ordering: .relaxed)
        if bad != .max { throw nonFinite(weight, format, bad) }
    }

    private func checkFinite(
        _ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes, evicting: Bool = false
    ) throws(BackendError) {
        let piece = Self.checkedBytes / format.blockBytes * format.blockBytes
        for first in stride(from: 0, to: bytes.count, by: piece) {
            let range = first..<min(first + piece, bytes.count)
            if let block = format.firstNonFiniteBlock(in: bytes, range) {
                throw nonFinite(weight, format, first / format.blockBytes + block)
            }
            if evicting { bytes.evict(range) }
        }
    }

    private func nonFinite(_ weight: WeightDeclaration, _ format: Format, _ block: Int) -> BackendError {
        format.blockLength > 1
            ? failure(weight, "has a scale that is no finite number in block \(block)")
            : failure(weight, "has a value that is no finite number at element \(block)")
    }

    private func format(of weight: WeightDeclaration) throws(BackendError) -> Format {
        guard let format = source.format(of: weight.name) else { throw failure(weight, "is missing") }
        return format
    }

    private func failure(_ weight: WeightDeclaration, _ problem: String) -> BackendError {
        .weights("tensor '\(weight.name)' \(problem)")
    }
}

extension Format {
    fileprivate func firstNonFiniteBlock(in bytes: WeightBytes, _ range: Range<Int>) -> Int? {
        unsafe firstNonFiniteBlock(
            in: UnsafeRawBufferPointer(start: bytes.base + range.lowerBound, count: range.count).bytes)
    }
}
