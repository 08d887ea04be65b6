/// The bytes of one file of a model.
protocol Storage: Sendable {
    var path: String { get }
    /// Bytes on disk.
    var fileByteCount: Int { get }
    /// Bytes of GGUF, or where only reading will tell the most that there may be.
    var contentLimit: Int { get }
    func withHeader<R>(_ body: (inout HeaderReader) throws(GGUFError) -> R) throws(GGUFError) -> R
    /// The bytes of a tensor of this file.
    func read(_ tensor: TensorInfo) throws(GGUFError) -> TensorData
}

extension Mapping: Storage {
    var fileByteCount: Int { unsafe bytes.count }
    var contentLimit: Int { unsafe bytes.count }

    func withHeader<R>(_ body: (inout HeaderReader) throws(GGUFError) -> R) throws(GGUFError) -> R {
        var reader = unsafe HeaderReader(file: path, bytes: bytes)
        return try body(&reader)
    }

    func read(_ tensor: TensorInfo) throws(GGUFError) -> TensorData {
        willNeed(tensor.range)
        return TensorData(self, tensor.range)
    }
}
