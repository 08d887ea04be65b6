extension Format {
    /// Every format, one entry each.
    package static let all: [Format] = [
        .f32, geometry(1, "F16", 1, 2), geometry(30, "BF16", 1, 2), geometry(28, "F64", 1, 8),
        geometry(24, "I8", 1, 1), geometry(25, "I16", 1, 2), geometry(26, "I32", 1, 4), geometry(27, "I64", 1, 8),
        geometry(2, "Q4_0", 32, 18), geometry(3, "Q4_1", 32, 20), geometry(6, "Q5_0", 32, 22),
        geometry(7, "Q5_1", 32, 24), geometry(8, "Q8_0", 32, 34), geometry(41, "Q1_0", 128, 18),
        geometry(42, "Q2_0", 64, 18), geometry(10, "Q2_K", 256, 84), geometry(11, "Q3_K", 256, 110),
        geometry(12, "Q4_K", 256, 144), geometry(13, "Q5_K", 256, 176), geometry(14, "Q6_K", 256, 210),
        geometry(19, "IQ1_S", 256, 50), geometry(29, "IQ1_M", 256, 56), geometry(16, "IQ2_XXS", 256, 66),
        geometry(17, "IQ2_XS", 256, 74), geometry(22, "IQ2_S", 256, 82), geometry(18, "IQ3_XXS", 256, 98),
        geometry(21, "IQ3_S", 256, 110), geometry(20, "IQ4_NL", 32, 18), geometry(23, "IQ4_XS", 256, 136),
        geometry(34, "TQ1_0", 256, 54), geometry(35, "TQ2_0", 256, 66), geometry(39, "MXFP4", 32, 17),
        geometry(40, "NVFP4", 64, 36),
    ]

    /// Stand-in of a format whose codec is not in yet.
    private static func geometry(_ id: UInt32, _ name: String, _ length: Int, _ bytes: Int) -> Format {
        unsafe Format(id: id, name: name, blockLength: length, blockBytes: bytes) { _, _ in
            preconditionFailure("codec missing")
        }
    }

    /// The format with a GGUF type id.
    package static func with(id: UInt32) -> Format? { byID[id] }
    /// The format with a name such as `Q4_K`, in any case.
    package static func named(_ name: String) -> Format? { byName[name.uppercased()] }

    private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
