internal import Glibc

/// Compiled kernels on disk, one file per module, device and driver. Whatever goes wrong with it only costs a compilation.
///
/// A file is a magic word, the length and hash of the binary, and the binary. Files appear under their name whole, by a rename, so
/// that several processes may write at once; what does not match its hash is not used.
struct NativeCache: Sendable {
    private static let magic: [UInt8] = Array("TGIXPU01".utf8)

    /// `nil`: nothing is kept.
    private let folder: String?

    /// `$XDG_CACHE_HOME/tgi-run/xpu`, by default `~/.cache/tgi-run/xpu`.
    static func standard() -> NativeCache {
        func variable(_ name: String) -> String? {
            guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
            return unsafe String(cString: value)
        }
        let base = variable("XDG_CACHE_HOME") ?? variable("HOME").map { "\($0)/.cache" }
        return NativeCache(folder: base.map { "\($0)/tgi-run/xpu" })
    }

    init(folder: String?) { self.folder = folder }

    /// Names all that the binary depends on: the SPIR-V, the options, the device and its driver.
    static func key(_ device: PhysicalDevice, _ spirv: Span<UInt8>) -> String {
        var hash = FNV()
        for index in spirv.indices { hash.add(spirv[index]) }
        hash.add(Array(BuildOptions.text.utf8))
        hash.add(Array(device.name.utf8))
        hash.add(device.uuid)
        hash.add(withBytes(device.ipVersion))
        hash.add(withBytes(device.driverVersion))
        return hash.text
    }

    func load(_ key: String) -> [UInt8]? {
        guard let folder, let file = unsafe fopen("\(folder)/\(key)", "rb") else { return nil }
        defer { unsafe fclose(file) }
        var header = [UInt8](repeating: 0, count: Self.magic.count + 24)
        guard unsafe fread(&header, 1, header.count, file) == header.count else { return nil }
        let fields = Self.magic.count
        let count = Int(truncatingIfNeeded: Self.integer(header[fields..<fields + 8]))
        guard header.starts(with: Self.magic), count > 0, count < 1 << 30 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe fread(&bytes, 1, count, file) == count, unsafe fgetc(file) == EOF else { return nil }
        var hash = FNV()
        hash.add(bytes)
        return Array(header[(fields + 8)...]) == hash.bytes ? bytes : nil
    }

    func store(_ binary: [UInt8], _ key: String) {
        guard let folder, makeFolders(folder) else { return }
        let temporary = "\(folder)/.\(key).\(getpid())"
        guard let file = unsafe fopen(temporary, "wbx") else { return }
        var hash = FNV()
        hash.add(binary)
        let all = Self.magic + Self.withBytes(UInt64(binary.count)) + hash.bytes + binary
        let written = unsafe fwrite(all, 1, all.count, file) == all.count
        let closed = unsafe fclose(file) == 0
        guard written, closed, unsafe rename(temporary, "\(folder)/\(key)") == 0 else {
            unsafe unlink(temporary)
            return
        }
    }

    /// Whether something passed that a key stands for (the self-test).
    func hasPassed(_ key: String) -> Bool { load(key) != nil }
    func notePassed(_ key: String) { store([1], key) }

    private func makeFolders(_ path: String) -> Bool {
        var part = ""
        for name in path.split(separator: "/") {
            part += "/\(name)"
            if unsafe mkdir(part, 0o755) != 0, errno != EEXIST { return false }
        }
        return true
    }

    private static func withBytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Two 64-bit FNV-1a hashes from different starts: against damage, not against an adversary.
    private struct FNV {
        private var a: UInt64 = 0xcbf2_9ce4_8422_2325
        private var b: UInt64 = 0x6c62_272e_07bb_0142

        mutating func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { add(byte) }
        }

        mutating func add(_ byte: UInt8) {
            a = (a ^ UInt64(byte)) &* 0x100_0000_01b3
            b = (b ^ UInt64(byte ^ 0x5a)) &* 0x100_0000_01b3
        }

        var bytes: [UInt8] { NativeCache.withBytes(a) + NativeCache.withBytes(b) }
        var text: String {
            [a, b].map { value in
                let digits = String(value, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
        }
    }
}
