/// Writes a model file piece by piece: the header at once, then the tensors in the order of their declaration.
///
/// Everything goes to a temporary file beside the target, which takes its name in ``finish()``. A writer that is not finished leaves nothing.
package final class GGUFWriter {
    package let path: String
    private let header: EncodedHeader
    private let output: OutputFile
    /// Index of the tensor that is being written, and how many of its bytes were.
    private var current = 0
    private var written = 0
    /// Bytes of the file so far.
    private var position = 0

    package convenience init(
        path: String, metadata: Metadata, tensors: [TensorDeclaration]
    ) throws(GGUFError) {
        try self.init(path: path, temporary: OutputFile.temporaryPath(for: path), metadata: metadata, tensors: tensors)
    }

    /// Removes what this process has written for `path` so far. For one that is about to end without leaving ``GGUFWriter``'s scope.
    package static func removeUnfinished(_ path: String) { OutputFile.removeTemporary(for: path) }

    init(path: String, temporary: String, metadata: Metadata, tensors: [TensorDeclaration]) throws(GGUFError) {
        self.path = path
        header = try EncodedHeader(metadata: metadata, tensors: tensors, file: path)
        output = try OutputFile(path: path, temporary: temporary)
        try output.write(header.bytes)
        position = header.bytes.count
    }

    /// Where the tensors lie in the file.
    package var tensors: [TensorInfo] { header.tensors }

    /// Appends the next bytes of a tensor.
    /// - Parameter tensor: Index of the declaration: the one after the last that is complete.
    package func append(_ bytes: RawSpan, to tensor: Int) throws(GGUFError) {
        guard tensor == current, tensor < tensors.count else {
            throw failure(tensor, "is written out of order: \(expectation)")
        }
        let left = tensors[tensor].byteCount - written
        guard bytes.byteCount <= left else {
            throw failure(
                tensor, "gets \(bytes.byteCount) bytes, but only \(left) of its \(tensors[tensor].byteCount) are left")
        }
        if written == 0 { try pad(to: tensors[tensor].offset) }
        try output.write(bytes)
        written += bytes.byteCount
        position += bytes.byteCount
        if bytes.byteCount == left {
            current += 1
            written = 0
        }
    }

    /// Completes the file and gives it its name.
    package func finish() throws(GGUFError) {
        guard current == tensors.count else { throw failure(current, "is not complete") }
        // Other readers expect the last tensor to be padded too.
        if !tensors.isEmpty, let end = aligned(position, to: header.alignment) { try pad(to: end) }
        try output.finish()
    }

    private func pad(to offset: Int) throws(GGUFError) {
        guard position < offset else { return }
        try output.write([UInt8](repeating: 0, count: offset - position))
        position = offset
    }

    private var expectation: String {
        current < tensors.count ? "'\(tensors[current].name)' is not complete" : "all tensors are complete"
    }

    private func failure(_ tensor: Int, _ problem: String) -> GGUFError {
        let place = tensors.indices.contains(tensor) ? GGUFError.Place.tensor(tensors[tensor].name) : .file
        return GGUFError(file: path, place: place, problem: problem)
    }
}
