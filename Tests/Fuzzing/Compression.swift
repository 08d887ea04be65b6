import CZstd

/// What tests need of the zstd compressor.
package enum Compression {
    /// One frame.
    /// - Parameters:
    ///   - saysSize: Whether the frame's header tells how many bytes it holds.
    ///   - checksum: Whether a checksum follows.
    package static func frame(
        _ bytes: some Collection<UInt8>, saysSize: Bool = true, checksum: Bool = true, level: Int32 = 1
    ) -> [UInt8] {
        let source = Array(bytes)
        guard let context = unsafe ZSTD_createCCtx() else { preconditionFailure("no memory") }
        defer { _ = unsafe ZSTD_freeCCtx(context) }
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, saysSize ? 1 : 0)
        unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0)
        return unsafe [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(source.count)) { output, count in
            count = unsafe ZSTD_compress2(context, output.baseAddress, output.count, source, source.count)
            precondition(ZSTD_isError(count) == 0)
        }
    }

    /// Independent frames of at most `size` bytes each.
    package static func frames(_ bytes: [UInt8], size: Int, saysSize: Bool = true) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: size).flatMap { start in
            frame(bytes[start..<min(start + size, bytes.count)], saysSize: saysSize)
        }
    }

    /// A frame that decoders skip.
    package static func skippable(_ bytes: [UInt8]) -> [UInt8] {
        [0x50, 0x2A, 0x4D, 0x18] + (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
    }
}
