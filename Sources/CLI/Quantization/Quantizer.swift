import GGUF
import Quant
import Synchronization

/// Writes a file's tensors in the formats of a plan, in parallel over rows and with at most a few dozen megabytes of its own.
struct Quantizer {
    let file: GGUFFile
    let plan: QuantizationPlan
    let threads: Int

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
                    let encoded = try convert(data, source, rows: count, tensor: tensor, to: format)
                    try writer.append(encoded.span.bytes, to: index)
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
        for (tensor, format) in zip(file.tensors, plan.formats) where format != tensor.format && !format.canEncode {
            throw Failure("\(plan.mix.name) needs \(format) for tensor '\(tensor.name)', which cannot be written yet")
        }
    }

    private func convert(
        _ data: TensorData, _ source: Range<Int>, rows: Int, tensor: TensorInfo, to format: Format
    ) throws -> [UInt8] {
        let rowLength = tensor.dimensions[0]
        let sourceRowBytes = source.count / rows
        guard let targetRowBytes = format.byteCount(of: rowLength) else {
            preconditionFailure("the plan gives \(tensor.name) a format that does not fit")
        }
        let rowsPerSlice = max(1, Self.sliceLength / rowLength)
        let slices = (rows + rowsPerSlice - 1) / rowsPerSlice
        let target = Buffer(count: rows * targetRowBytes)
        let failure = Atomic(false)
        parallelFor(slices, threads: threads) { slice in
            let first = slice * rowsPerSlice
            let count = min(rowsPerSlice, rows - first)
            let start = source.lowerBound + first * sourceRowBytes
            let bytes = unsafe RawSpan(_unsafeBytes: data.bytes[start..<start + count * sourceRowBytes])
            var values = [Float](repeating: 0, count: count * rowLength)
            var span = values.mutableSpan
            tensor.format.decode(bytes, into: &span)
            guard values.allSatisfy(\.isFinite) else {
                failure.store(true, ordering: .relaxed)
                return
            }
            var out = target.slice(first * targetRowBytes..<(first + count) * targetRowBytes)
            format.encode(values.span, into: &out)
        }
        guard !failure.load(ordering: .relaxed) else {
            throw Failure("\(file.path): tensor '\(tensor.name)' holds what is no finite number; \(format) cannot")
        }
        return target.bytes
    }

    /// Bytes that several threads fill, each its own range.
    @safe
    private final class Buffer: @unchecked Sendable {
        private let storage: UnsafeMutableBufferPointer<UInt8>

        init(count: Int) {
            unsafe storage = .allocate(capacity: count)
            unsafe storage.initialize(repeating: 0)
        }

        deinit { unsafe storage.deallocate() }

        var bytes: [UInt8] { unsafe Array(storage) }

        @_lifetime(borrow self)
        func slice(_ range: Range<Int>) -> MutableSpan<UInt8> {
            let span = unsafe MutableSpan(_unsafeElements: UnsafeMutableBufferPointer(rebasing: storage[range]))
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}
