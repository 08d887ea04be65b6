extension Format {
    /// IEEE 754 binary32.
    package static let f32 = Format(id: 0, name: "F32", blockLength: 1, blockBytes: 4, scales: [.binary32]) { bytes, out in
        out[0] = Float(bitPattern: bytes.uint32(at: 0))
    }

    /// IEEE 754 binary16.
    package static let f16 = Format(id: 1, name: "F16", blockLength: 1, blockBytes: 2, scales: [.half(at: 0)]) { bytes, out in
        out[0] = bytes.half(at: 0)
    }

    /// The upper half of binary32.
    package static let bf16 = Format(id: 30, name: "BF16", blockLength: 1, blockBytes: 2, scales: [.bfloat16]) { bytes, out in
        out[0] = Float(bitPattern: UInt32(bytes.uint16(at: 0)) << 16)
    }

    /// IEEE 754 binary64. Decoding rounds.
    package static let f64 = Format(id: 28, name: "F64", blockLength: 1, blockBytes: 8, scales: [.binary64]) { bytes, out in
        out[0] = Float(Double(bitPattern: bytes.uint64(at: 0)))
    }
}
