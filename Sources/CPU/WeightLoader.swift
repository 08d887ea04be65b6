internal import Compute
internal import Quant
internal import Synchronization

/// Reads the weights of a program in file order and repacks them on all workers, letting go of the file's pages on the way. Formats that are
/// computed at the speed of memory as they lie in the file are repacked later.
struct WeightLoader {
    let source: any WeightSource
    let program: Program
    let pool: WorkerPool
    let repack: Bool
    let progress: @Sendable (Double) -> Void

    func load() throws(BackendError) -> CPUWeights {
        let roles = WeightRoles.of(program)
        var matrices = [PackedMatrix?](repeating: nil, count: program.weights.count)
        var vectors = [FloatVector?](repeating: nil, count: program.weights.count)
        var tables = [EmbeddingTable?](repeating: nil, count: program.weights.count)

        let place = Dictionary(source.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let order = program.weights.indices.sorted {
            place[program.weights[$0].name, default: 0] < place[program.weights[$1].name, default: 0]
        }
        var check = FiniteCheck()
        var borrowed: [LateRepacking.Borrowed] = []
        let total = program.weights.reduce(0) { $0 + $1.count }
        var done = 0
        for index in order {
            let weight = program.weights[index]
            let format = try format(of: weight)
            guard let rowBytes = format.byteCount(of: weight.columns) else {
                throw weight.failure("has rows of \(weight.columns), no whole blocks of \(format)")
            }
            let bytes = try source.read(weight)
            if roles[index].contains(.vector) {
                if let block = format.firstNonFiniteBlock(in: bytes, 0..<bytes.count) {
                    throw weight.nonFinite(format, block)
                }
                vectors[index] = unsafe FloatVector(format, bytes.base, count: weight.count)
            }
            if roles[index].contains(.table) {
                guard PackedMatrix.supports(format) else {
                    throw weight.failure("has type \(format), which is not computed")
                }
                // Few rows of it are read later: it need not stay.
                if !roles[index].contains(.matrix) { check.add(weight, format, bytes, evicting: true) }
                tables[index] = EmbeddingTable(
                    bytes, format, rows: weight.rows, columns: weight.columns, rowBytes: rowBytes)
            }
            if roles[index].contains(.matrix) {
                let matrix = try matrix(weight, format, bytes)
                matrices[index] = matrix
                if matrix.isBorrowed {
                    check.add(weight, format, bytes)
                    borrowed.append(.init(matrix: matrix, bytes: bytes))
                } else {
                    let (keep, before) = (roles[index].contains(.table), done)
                    try pack(weight, format, bytes, keep: keep, into: matrix) { share in
                        progress((Double(before) + share * Double(weight.count)) / Double(total))
                    }
                }
            }
            if matrices[index]?.isBorrowed != true { done += weight.count }
            progress(Double(done) / Double(total))
        }
        let before = done
        try check.run(on: pool) { share in progress((Double(before) + share * Double(total - before)) / Double(total)) }
        return CPUWeights(
            matrices: matrices, vectors: vectors, tables: tables, repacking: LateRepacking(borrowed, on: pool))
    }

    private func matrix(
        _ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes
    ) throws(BackendError) -> PackedMatrix {
        guard PackedMatrix.supports(format) else { throw weight.failure("has type \(format), which is not computed") }
        let repacks = repack && PackedMatrix.repacks(format)
        // Bytes that are not mapped would be there twice.
        if !repacks || bytes.isMapped && PackedMatrix.readsBlocks(format) {
            let borrowed = unsafe PackedMatrix(
                borrowing: bytes.base, owner: bytes, format: format, rows: weight.rows, columns: weight.columns,
                experts: weight.experts, repackedLater: repacks)
            if let borrowed { return borrowed }
            guard repacks else { throw weight.failure("has a shape that cannot be computed") }
        }
        guard
            let packed = PackedMatrix(
                format: format, rows: weight.rows, columns: weight.columns, experts: weight.experts)
        else { throw .outOfMemory(bytes.count) }
        return packed
    }

    /// Lets the bytes go as they are repacked.
    ///
    /// - Parameter keep: Whether something else reads some of them later.
    private func pack(
        _ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes, keep: Bool, into packed: PackedMatrix,
        progress: @Sendable (Double) -> Void
    ) throws(BackendError) {
        let badBlock = Atomic<Int>(Int.max)
        packed.forEachPart(of: 0..<packed.rowGroups * packed.experts, on: pool) { worker, part in
            if let block = format.firstNonFiniteBlock(in: bytes, part.bytes) {
                badBlock.min(part.bytes.lowerBound / format.blockBytes + block, ordering: .relaxed)
            }
            unsafe packed.pack(expert: part.expert, rowGroups: part.rowGroups, from: bytes.base + part.expertOffset)
            if keep { bytes.evict(part.bytes) } else { bytes.discard(part.bytes) }
            if worker == 0 { progress(Double(part.bytes.upperBound) / Double(bytes.count)) }
        }
        let bad = badBlock.load(ordering: .relaxed)
        if bad != .max { throw weight.nonFinite(format, bad) }
    }

    private func format(of weight: WeightDeclaration) throws(BackendError) -> Format {
        guard let format = source.format(of: weight.name) else { throw weight.failure("is missing") }
        return format
    }
}
