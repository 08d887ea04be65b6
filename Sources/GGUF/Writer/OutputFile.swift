import Glibc

/// A file that appears under its name only when it is complete.
final class OutputFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    private static let bufferSize = 1 << 20

    static func temporaryPath(for path: String) -> String { "\(path).tmp-\(getpid())" }

    static func removeTemporary(for path: String) { _ = unsafe unlink(temporaryPath(for: path)) }

    init(path: String, temporary: String) throws(GGUFError) {
        self.path = path
        self.temporary = temporary
        // Renaming would put the file in the place of a device or a pipe.
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw GGUFError(file: path, problem: "exists and is not a regular file")
        }
        descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure("create") }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unsafe unlink(temporary)
    }

    func write(_ bytes: [UInt8]) throws(GGUFError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    func write(_ bytes: RawSpan) throws(GGUFError) {
        if buffer.count + bytes.byteCount > Self.bufferSize { try flush() }
        try unsafe bytes.withUnsafeBytes { bytes throws(GGUFError) in
            if bytes.count < Self.bufferSize {
                unsafe buffer.append(contentsOf: bytes)
            } else {
                try unsafe writeAll(bytes)
            }
        }
    }

    /// Writes what is left and renames.
    func finish() throws(GGUFError) {
        try flush()
        // Errors of delayed writes, a full disk among them, show here and must not be lost under the final name.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw failure("write") }
        guard unsafe rename(temporary, path) == 0 else { throw failure("rename the finished file to it") }
        close(descriptor)
        descriptor = -1
    }

    private func flush() throws(GGUFError) {
        try unsafe buffer.withUnsafeBufferPointer { bytes throws(GGUFError) in
            try unsafe writeAll(UnsafeRawBufferPointer(bytes))
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(GGUFError) {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write") }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func failure(_ action: String) -> GGUFError {
        GGUFError(file: path, problem: "cannot \(action): \(String(errno: errno))")
    }
}
