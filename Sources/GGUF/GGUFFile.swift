/// An open model: its metadata, its tensor directory and its bytes, which stay where they are until a tensor is read.
package final class GGUFFile: Sendable {
    /// The file that was opened; of a split model the first.
    package let path: String
    package let version: UInt32
    package let metadata: Metadata
    /// In directory order, file after file.
    package let tensors: [TensorInfo]
    /// Bytes on disk of all files of the model.
    package let byteCount: Int

    private let shards: [any Storage]
    private let indices: [String: Int]

    /// Opens a `.gguf` or `.gguf.zst` file, the first file of a split model, or a folder that holds one model.
    package static func open(_ path: String) throws(GGUFError) -> GGUFFile {
        try GGUFFile(path: ModelFolder.resolve(path)) { path throws(GGUFError) in try Mapping(path: path) }
    }

    /// Opens a model whose files are in memory.
    /// - Parameters:
    ///   - path: One of `files`.
    ///   - files: Contents by path.
    package static func open(_ path: String, in files: [String: [UInt8]]) throws(GGUFError) -> GGUFFile {
        try GGUFFile(path: path) { path throws(GGUFError) in
            guard let contents = files[path] else { throw GGUFError(file: path, problem: "does not exist") }
            return try Mapping(path: path, copying: contents)
        }
    }

    /// - Parameter map: Gives the bytes of a file, the one at `path` first.
    private init(path: String, map: (String) throws(GGUFError) -> Mapping) throws(GGUFError) {
        self.path = path
        let first = try Self.storage(map(path))
        let header = try Self.header(first, shard: 0)
        version = header.version
        metadata = header.metadata

        var shards = [first]
        var tensors = header.tensors
        var indices = Dictionary(uniqueKeysWithValues: zip(tensors.lazy.map(\.name), 0...))
        if let split = try Split(metadata, path: path) {
            for number in 1..<split.count {
                let storage = try Self.storage(map(split.path(number)))
                let header = try Self.header(storage, shard: number)
                try split.check(header.metadata, number: number)
                for tensor in header.tensors {
                    guard indices.updateValue(tensors.count, forKey: tensor.name) == nil else {
                        throw GGUFError(
                            file: storage.path, place: .tensor(tensor.name),
                            problem: "occurs in an earlier file of the model too")
                    }
                    tensors.append(tensor)
                }
                shards.append(storage)
            }
            try split.check(tensorCount: tensors.count)
        }
        self.tensors = tensors
        self.indices = indices
        self.shards = shards
        byteCount = shards.reduce(0) { $0 + $1.fileByteCount }
    }

    package func tensor(_ name: String) -> TensorInfo? { indices[name].map { tensors[$0] } }

    /// The bytes of a tensor of this file. Several threads may read at the same time.
    ///
    /// A plain file gives a slice of its mapping. A compressed file is decompressed straight into memory of the result; where it is one
    /// frame, that is fast only for tensors in file order, since going back means starting over.
    package func read(_ tensor: TensorInfo) throws(GGUFError) -> TensorData {
        precondition(shards.indices.contains(tensor.shard), "the tensor is not of this file")
        return try shards[tensor.shard].read(tensor)
    }

    private static func storage(_ mapping: Mapping) throws(GGUFError) -> any Storage {
        FrameIndex.recognizes(mapping) ? try CompressedFile(mapping) : mapping
    }

    private static func header(_ storage: any Storage, shard: Int) throws(GGUFError) -> Header {
        try storage.withHeader { reader throws(GGUFError) in
            try Header(&reader, shard: shard, limit: storage.contentLimit)
        }
    }
}
