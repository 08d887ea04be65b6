internal import CFormats

extension Format {
    /// Decodes whole blocks. Bit for bit what the format defines, evaluated in binary32.
    ///
    /// - Parameters:
    ///   - bytes: `n` blocks.
    ///   - values: exactly `n * blockLength` elements.
    package func decode(_ bytes: RawSpan, into values: inout MutableSpan<Float>) {
        let blocks = checkedBlocks(bytes.byteCount, values.count)
        let isDone = unsafe bytes.withUnsafeBytes { bytes in
            unsafe values.withUnsafeMutableBufferPointer { values in
                guard let info = unsafe format_with_id(id) else {
                    return unsafe format_decode_plain(id, bytes.baseAddress, blocks, values.baseAddress)
                }
                unsafe format_decode(info, bytes.baseAddress, blocks, values.baseAddress)
                return true
            }
        }
        if !isDone { referenceDecode(bytes, into: &values) }
    }

    /// What ``decode(_:into:)`` does, by the readable definition of the format under `Formats/`.
    package func referenceDecode(_ bytes: RawSpan, into values: inout MutableSpan<Float>) {
        let blocks = checkedBlocks(bytes.byteCount, values.count)
        let source = Span<UInt8>(_bytes: bytes)
        if groups == nil { return decoder(source, &values) }
        for block in 0..<blocks {
            let start = block * blockBytes
            var out = values._mutatingExtracting(block * blockLength..<(block + 1) * blockLength)
            decoder(source.extracting(start..<start + blockBytes), &out)
        }
    }

    /// Decodes one block by the reference: `blockBytes` bytes at `source` into `blockLength` values at `out`.
    @unsafe
    package func decodeBlock(_ source: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
        let bytes = unsafe RawSpan(_unsafeStart: source, byteCount: blockBytes)
        var values = unsafe MutableSpan(_unsafeStart: out, count: blockLength)
        referenceDecode(bytes, into: &values)
    }

    /// The number of blocks in `byteCount` bytes, which must be that of `valueCount` values.
    func checkedBlocks(_ byteCount: Int, _ valueCount: Int) -> Int {
        let blocks = byteCount / blockBytes
        precondition(
            byteCount == blocks * blockBytes && valueCount == blocks * blockLength,
            "\(name): \(byteCount) bytes are not \(valueCount) values")
        return blocks
    }
}

extension Span where Element == UInt8 {
    /// Little-endian 16 bits at a byte offset.
    func uint16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    /// Little-endian 32 bits at a byte offset.
    func uint32(at offset: Int) -> UInt32 {
        UInt32(uint16(at: offset)) | UInt32(uint16(at: offset + 2)) << 16
    }

    /// Little-endian 64 bits at a byte offset.
    func uint64(at offset: Int) -> UInt64 {
        UInt64(uint32(at: offset)) | UInt64(uint32(at: offset + 4)) << 32
    }

    /// IEEE 754 binary16 at a byte offset.
    func half(at offset: Int) -> Float {
        Float(Float16(bitPattern: uint16(at: offset)))
    }

    /// Two's-complement byte at an offset.
    func int8(at offset: Int) -> Int8 {
        Int8(bitPattern: self[offset])
    }

    /// Bits `shift..<shift + width` of the byte at `offset`.
    func bits(_ width: Int, of offset: Int, shift: Int) -> Int {
        Int(self[offset]) >> shift & (1 << width - 1)
    }

    /// Field `index` of fields of `width` bits (1, 2 or 4) packed from byte `offset` on, lowest bits first.
    func bits(_ width: Int, _ index: Int, at offset: Int) -> Int {
        let perByte = 8 / width
        return bits(width, of: offset + index / perByte, shift: index % perByte * width)
    }
}
