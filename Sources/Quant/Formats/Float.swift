extension Format {
    /// IEEE 754 binary32.
    package static let f32 = Format(
        id: 0, name: "F32", blockLength: 1, blockBytes: 4, scales: [.binary32],
        encoder: { values, out in
            for i in values.indices {
                let bits = values[i].bitPattern
                for byte in 0..<4 { out[4 * i + byte] = UInt8(truncatingIfNeeded: bits >> (8 * byte)) }
            }
        },
        decoder: { bytes, out in
            for i in out.indices { out[i] = Float(bitPattern: bytes.uint32(at: 4 * i)) }
        })

    /// IEEE 754 binary16.
    package static let f16 = Format(
        id: 1, name: "F16", blockLength: 1, blockBytes: 2, scales: [.half(at: 0)],
        encoder: { values, out in
            for i in values.indices { out.store(Float16(values[i]), at: 2 * i) }
        },
        decoder: { bytes, out in
            for i in out.indices { out[i] = bytes.half(at: 2 * i) }
        })

    /// The upper half of binary32.
    package static let bf16 = Format(
        id: 30, name: "BF16", blockLength: 1, blockBytes: 2, scales: [.bfloat16],
        encoder: { values, out in
            for i in values.indices {
                // Round to nearest, ties to even. The values are finite, so the sum does not leave 32 bits.
                let bits = values[i].bitPattern
                let rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16
                out[2 * i] = UInt8(truncatingIfNeeded: rounded)
                out[2 * i + 1] = UInt8(truncatingIfNeeded: rounded >> 8)
            }
        },
        decoder: { bytes, out in
            for i in out.indices { out[i] = Float(bitPattern: UInt32(bytes.uint16(at: 2 * i)) << 16) }
        })

    /// IEEE 754 binary64. Decoding rounds.
    package static let f64 = Format(
        id: 28, name: "F64", blockLength: 1, blockBytes: 8, scales: [.binary64]
    ) { bytes, out in
        for i in out.indices { out[i] = Float(Double(bitPattern: bytes.uint64(at: 8 * i))) }
    }
}
