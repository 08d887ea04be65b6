extension Format {
    /// Two's-complement integers of 8 to 64 bits. No weights, but GGUF files may carry them; decoding rounds.
    package static let i8 = Format(id: 24, name: "I8", blockLength: 1, blockBytes: 1) { bytes, out in
        for i in out.indices { out[i] = Float(bytes.int8(at: i)) }
    }

    package static let i16 = Format(id: 25, name: "I16", blockLength: 1, blockBytes: 2) { bytes, out in
        for i in out.indices { out[i] = Float(Int16(bitPattern: bytes.uint16(at: 2 * i))) }
    }

    package static let i32 = Format(id: 26, name: "I32", blockLength: 1, blockBytes: 4) { bytes, out in
        for i in out.indices { out[i] = Float(Int32(bitPattern: bytes.uint32(at: 4 * i))) }
    }

    package static let i64 = Format(id: 27, name: "I64", blockLength: 1, blockBytes: 8) { bytes, out in
        for i in out.indices { out[i] = Float(Int64(bitPattern: bytes.uint64(at: 8 * i))) }
    }
}
