extension Format {
    /// Every format, one entry each.
    package static let all: [Format] = [.f32]

    /// The format with a GGUF type id.
    package static func with(id: UInt32) -> Format? { byID[id] }
    /// The format with a name such as `Q4_K`, in any case.
    package static func named(_ name: String) -> Format? { byName[name.uppercased()] }

    private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
