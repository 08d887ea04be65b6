internal import Compute
internal import Quant

/// Brings the weights of a program to a device in file order: rows of blocks go through pinned memory, and kernels unpack them into
/// their layout. Nothing of them stays with the host.
struct XPUWeightLoader {
    let source: any WeightSource
    let program: Program
    let context: Context
    let library: KernelLibrary
    let progress: @Sendable (Double) -> Void

    private struct Plan {
        let formats: [Format]
        let roles: [WeightRoles]
        /// Of matrices, by weight index.
        var layouts: [WeightLayout?]
        /// Offsets of vectors in their memory, by weight index.
        var vectors: [Int?]
        var vectorBytes = 0
        var matrixBytes = 0
    }

    /// - Throws: ``BackendError/doesNotFit(needed:available:)`` before anything is read, where the device has too little memory.
    func load() throws(BackendError) -> XPUWeights {
        let plan = try makePlan()
        let needed = plan.matrixBytes + plan.vectorBytes
        let available = context.freeMemory ?? context.device.memory
        guard needed <= available else { throw .doesNotFit(needed: needed, available: available) }
        do { return try load(plan) } catch let error as BackendError { throw error } catch let error as XPUError {
            throw context.failure(error)
        } catch { preconditionFailure("unexpected \(error)") }
    }

    /// Bytes that the weights will take.
    func byteCount() throws(BackendError) -> Int {
        let plan = try makePlan()
        return plan.matrixBytes + plan.vectorBytes
    }

    private func makePlan() throws(BackendError) -> Plan {
        var formats: [Format] = []
        for weight in program.weights {
            guard let format = source.format(of: weight.name) else { throw failure(weight, "is missing") }
            formats.append(format)
        }
        var plan = Plan(
            formats: formats, roles: WeightRoles.of(program),
            layouts: Array(repeating: nil, count: formats.count), vectors: Array(repeating: nil, count: formats.count))
        for (index, weight) in program.weights.enumerated() {
            let format = formats[index]
            guard format.byteCount(of: weight.columns) != nil else {
                throw failure(weight, "has rows of \(weight.columns), no whole blocks of \(format)")
            }
            if plan.roles[index].contains(.vector) {
                plan.vectors[index] = plan.vectorBytes
                plan.vectorBytes += (weight.count * 4 + 63) / 64 * 64
            }
            if !plan.roles[index].isDisjoint(with: [.matrix, .table]) {
                guard let layout = WeightLayout(format) else {
                    throw failure(weight, "has type \(format), which is not computed")
                }
                plan.layouts[index] = layout
                plan.matrixBytes += layout.byteCount(rows: weight.rows, columns: weight.columns) * weight.experts
            }
        }
        return plan
    }

    private func load(_ plan: Plan) throws -> XPUWeights {
        let longest = zip(program.weights, plan.formats).map { $1.byteCount(of: $0.columns) ?? 0 }.max() ?? 0
        let uploader = try Uploader(context, library, slotBytes: max(longest, plan.vectorBytes, Uploader.slotBytes))
        let vectorMemory = try Memory(context, .device, byteCount: plan.vectorBytes)
        var matrices = [DeviceMatrix?](repeating: nil, count: program.weights.count)
        var vectors: [(bytes: WeightBytes, offset: Int, format: Format)] = []

        let place = Dictionary(source.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let order = program.weights.indices.sorted {
            place[program.weights[$0].name, default: 0] < place[program.weights[$1].name, default: 0]
        }
        let total = program.weights.reduce(0) { $0 + $1.count }
        var done = 0
        for index in order {
            let weight = program.weights[index]
            let format = plan.formats[index]
            let bytes = try source.read(weight)
            if let offset = plan.vectors[index] {
                try checkFinite(weight, format, bytes, 0..<bytes.count)
                vectors.append((bytes, offset, format))
            }
            if let layout = plan.layouts[index] {
                let matrix = try DeviceMatrix(context, layout, weight)
                try upload(bytes, format, weight, into: matrix, uploader) { share in
                    progress(
                        (Double(done) + share * Double(weight.count)) / Double(total))
                }
                matrices[index] = matrix
            }
            done += weight.count
            progress(Double(done) / Double(total))
        }
        try unsafe uploader.upload(to: vectorMemory.slice(), bytes: plan.vectorBytes) { target in
            for vector in vectors { unsafe vector.format.decode(vector.bytes, into: target + vector.offset) }
        }
        try uploader.finish()
        let slices = plan.vectors.map { $0.map { vectorMemory.slice($0) } }
        return XPUWeights(
            context, library, matrices: matrices, vectors: slices, vectorMemory: vectorMemory)
    }

    private func upload(
        _ bytes: WeightBytes, _ format: Format, _ weight: WeightDeclaration, into matrix: DeviceMatrix,
        _ uploader: Uploader, progress: (Double) -> Void
    ) throws {
        let rowBytes = bytes.count / (weight.rows * weight.experts)
        let rowsPerSlot = max(1, uploader.slotBytes / rowBytes)
        for expert in 0..<weight.experts {
            for first in stride(from: 0, to: weight.rows, by: rowsPerSlot) {
                let rows = min(rowsPerSlot, weight.rows - first)
                let start = (expert * weight.rows + first) * rowBytes
                let range = start..<start + rows * rowBytes
                try checkFinite(weight, format, bytes, range)
                try unsafe uploader.unpack(
                    bytes.base + start, count: range.count, matrix: matrix, expert: expert, firstRow: first, rows: rows)
                bytes.discard(range)
                progress(Double(range.upperBound) / Double(bytes.count))
            }
        }
    }

    private func checkFinite(
        _ weight: WeightDeclaration, _ format: Format, _ bytes: WeightBytes, _ range: Range<Int>
    ) throws(BackendError) {
        let part = unsafe UnsafeRawBufferPointer(start: bytes.base + range.lowerBound, count: range.count)
        guard let block = unsafe format.firstNonFiniteBlock(in: part.bytes) else { return }
        throw failure(
            weight, "has a scale that is no finite number in block \(range.lowerBound / format.blockBytes + block)")
    }

    private func failure(_ weight: WeightDeclaration, _ problem: String) -> BackendError {
        .weights("tensor '\(weight.name)' \(problem)")
    }
}

extension Format {
    /// Decodes a whole tensor to floats at `target`.
    fileprivate func decode(_ bytes: WeightBytes, into target: UnsafeMutableRawPointer) {
        let count = bytes.count / blockBytes * blockLength
        let source = unsafe UnsafeRawBufferPointer(start: bytes.base, count: bytes.count)
        var values = unsafe MutableSpan<Float>(
            _unsafeStart: target.assumingMemoryBound(to: Float.self), count: count)
        unsafe decode(source.bytes, into: &values)
    }
}
