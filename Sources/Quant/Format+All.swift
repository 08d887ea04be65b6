extension Format {
    /// Every format, one entry each.
    package static let all: [Format] = [
        .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64,
        .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q1_0, .q2_0,
        .q2_k, .q3_k, .q4_k, .q5_k, .q6_k,
        .iq1_s, .iq1_m, .iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s, .iq4_nl, .iq4_xs,
        .tq1_0, .tq2_0, .mxfp4, .nvfp4,
    ]

    /// The format with a GGUF type id.
    package static func with(id: UInt32) -> Format? { byID[id] }
    /// The format with a name such as `Q4_K`, in any case.
    package static func named(_ name: String) -> Format? { byName[name.uppercased()] }

    private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
