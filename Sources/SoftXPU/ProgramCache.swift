import Glibc

/// Built programs on disk, one file each, named by a hash of everything they were made from. Written under another name first and renamed, so
/// that several processes may share the folder; a damaged file is as good as none.
struct ProgramCache {
    let folder: String?

    static func key(_ parts: [[UInt8]]) -> String {
        var hash = SHA256()
        for part in parts {
            hash.update((0..<8).map { UInt8(truncatingIfNeeded: part.count >> (8 * $0)) })
            hash.update(part)
        }
        return hash.finish().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func load(_ key: String) -> NativeBinary? {
        guard let folder, let bytes = Files.read("\(folder)/\(key)") else { return nil }
        return NativeBinary(bytes)
    }

    /// Keeps a program. A folder that cannot be written is no error: the program is built again next time.
    func store(_ key: String, _ binary: NativeBinary) {
        guard let folder else { return }
        Files.makeFolder(folder)
        let temporary = "\(folder)/.\(key).\(getpid())"
        if Files.write(temporary, binary.bytes), unsafe rename(temporary, "\(folder)/\(key)") == 0 { return }
        unsafe unlink(temporary)
    }
}

enum Files {
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return readAll(descriptor)
    }

    static func readAll(_ descriptor: CInt) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let n = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if n < 0 { return nil }
            if n == 0 { return bytes }
            bytes += chunk[..<n]
        }
    }

    static func write(_ path: String, _ bytes: [UInt8]) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let n = unsafe bytes[done...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if n <= 0 { return false }
            done += n
        }
        return true
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) {
        var at = path.startIndex
        while let slash = path[at...].dropFirst().firstIndex(of: "/") {
            unsafe mkdir(String(path[..<slash]), 0o755)
            at = slash
        }
        unsafe mkdir(path, 0o755)
    }
}
