/// A built program as bytes: what zeModuleGetNativeBinary gives and what the cache keeps. The SPIR-V is part of it, because arguments are
/// checked against it.
///
/// Layout: magic, then four fields (runtime version, build options, SPIR-V, program), each with its length as a little-endian 64-bit
/// number before it, then the SHA-256 of everything before.
struct NativeBinary {
    var runtime: String
    var options: String
    var code: [UInt8]
    var program: [UInt8]

    private static let magic = Array("softxpu1".utf8)

    var bytes: [UInt8] {
        var bytes = Self.magic
        for field in [Array(runtime.utf8), Array(options.utf8), code, program] {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: field.count >> (8 * $0)) }
            bytes += field
        }
        return bytes + SHA256.hash(bytes)
    }

    init(runtime: String, options: String, code: [UInt8], program: [UInt8]) {
        self.runtime = runtime
        self.options = options
        self.code = code
        self.program = program
    }

    /// nil: damaged, or something else.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.magic.count + 32, bytes.starts(with: Self.magic) else { return nil }
        let body = bytes.dropLast(32)
        guard SHA256.hash(body).elementsEqual(bytes.suffix(32)) else { return nil }
        var rest = body.dropFirst(Self.magic.count)
        var fields: [[UInt8]] = []
        while fields.count < 4 {
            guard rest.count >= 8 else { return nil }
            let length = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            guard length <= UInt64(rest.count) else { return nil }
            fields.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        self.init(
            runtime: String(decoding: fields[0], as: UTF8.self), options: String(decoding: fields[1], as: UTF8.self),
            code: fields[2], program: fields[3])
    }
}
