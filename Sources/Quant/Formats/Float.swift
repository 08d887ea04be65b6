extension Format {
    /// IEEE 754 binary32.
    package static let f32 = unsafe Format(id: 0, name: "F32", blockLength: 1, blockBytes: 4) { source, out in
        unsafe out[0] = source.loadUnaligned(as: Float.self)
    }
}
