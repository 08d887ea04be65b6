import CPU
import GGUF
import Quant
import Synchronization

/// Writes a file's tensors in the formats of a plan, in parallel over rows and with at most a few dozen megabytes of its own.
struct Quantizer {
    let file: GGUFFile
    let plan: QuantizationPlan
    let pool: WorkerPool

    /// Weights that are decoded and encoded at a time.
    private static let chunkLength = 1 << 22
    /// Smallest share of a thread.
    private static let sliceLength = 1 << 15

    /// - Parameters:
    ///   - progress: Called with the share of bytes read.
    ///   - isCancelled: Looked at between chunks.
    /// - Returns: Bytes of the tensors written.
    func write(
        to path: String, progress: (Double) -> Void, isCancelled: () -> Bool
    ) throws -> Int {
        try checkEncoders()
        let declarations = zip(file.tensors, plan.formats).map { tensor, format in
            TensorDeclaration(name: tensor.name, dimensions: tensor.dimensions, format: format)
        }
        let writer = try GGUFWriter(path: path, metadata: metadata, tensors: declarations)
        let total = max(1, file.tensors.reduce(0) { $0 + $1.byteCount })
        var done = 0
        for (index, tensor) in file.tensors.enumerated() {
            let data = try file.read(tensor)
            let format = plan.formats[index]
            let rowLength = tensor.dimensions[0]
            let rows = tensor.elementCount / rowLength
            let rowBytes = tensor.byteCount / rows
            let rowsAtOnce = max(1, Self.chunkLength / rowLength)
            for first in stride(from: 0, to: rows, by: rowsAtOnce) {
                if isCancelled() { throw Interrupted() }
                let count = min(rowsAtOnce, rows - first)
                let source = first * rowBytes..<(first + count) * rowBytes
                if format == tensor.format {
                    try unsafe writer.append(RawSpan(_unsafeBytes: data.bytes[source]), to: index)
                } else {
                    for piece in try convert(data, source, rows: count, tensor: tensor, to: format) {
                        try unsafe writer.append(piece.span.bytes, to: index)
                    }
                }
                data.discard(source)
                done += source.count
                progress(Double(done) / Double(total))
            }
        }
        try writer.finish()
        return writer.tensors.reduce(0) { $0 + $1.byteCount }
    }

    /// The source's metadata with what describes the formats brought up to date, and without the marks of a split.
    private var metadata: Metadata {
        var result = file.metadata
        result["general.file_type"] = .uint32(plan.mix.fileType)
        result["general.quantization_version"] = .uint32(2)
        for key in ["split.no", "split.count", "split.tensors.count"] { result[key] = nil }
        return result
    }

    private func checkEncoders() throws {
        for (tensor, format) in zip(file.tensors, plan.formats) where format != tensor.format && !format.isEncodable {
            throw Failure("\(plan.mix.name): tensor '\(tensor.name)': \(QuantError.notEncodable(format))")
        }
    }

    /// - Returns: The rows in the new format, in pieces.
    private func convert(
        _ data: TensorData, _ source: Range<Int>, rows: Int, tensor: TensorInfo, to format: Format
    ) throws -> [[UInt8]] {
        let rowLength = tensor.dimensions[0]
        let rowBytes = source.count / rows
        let rowsPerSlice = max(1, Self.sliceLength / rowLength)
        let slices = (rows + rowsPerSlice - 1) / rowsPerSlice
        let results = Mutex([Result<[UInt8], QuantError>](repeating: .success([]), count: slices))
        let next = Atomic(0)
        pool.run { _ in
            while case let slice = next.wrappingAdd(1, ordering: .relaxed).oldValue, slice < slices {
                let first = slice * rowsPerSlice
                let count = min(rowsPerSlice, rows - first)
                let start = source.lowerBound + first * rowBytes
                let bytes = unsafe RawSpan(_unsafeBytes: data.bytes[start..<start + count * rowBytes])
                let result = Self.convert(bytes, tensor.format, count: count * rowLength, to: format)
                results.withLock { $0[slice] = result }
            }
        }
        do {
            return try results.withLock { try $0.map { try $0.get() } }
        } catch {
            throw Failure("\(file.path): tensor '\(tensor.name)': \(error)")
        }
    }

    private static func convert(
        _ bytes: RawSpan, _ source: Format, count: Int, to target: Format
    ) -> Result<[UInt8], QuantError> {
        guard let targetBytes = target.byteCount(of: count) else {
            preconditionFailure("the plan gives a tensor a format that does not fit")
        }
        var values = [Float](repeating: 0, count: count)
        var valueSpan = values.mutableSpan
        source.decode(bytes, into: &valueSpan)
        var result = [UInt8](repeating: 0, count: targetBytes)
        var resultSpan = result.mutableSpan
        do throws(QuantError) {
            try target.encode(values.span, into: &resultSpan)
        } catch {
            return .failure(error)
        }
        return .success(result)
    }
}
