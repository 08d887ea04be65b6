/// A set of Unicode scalars as a pattern describes it.
indirect enum ScalarSet: Hashable, Sendable {
    case range(ClosedRange<UInt32>)
    case categories(CategorySet)
    case whitespace
    case union([ScalarSet])
    case intersection(ScalarSet, ScalarSet)
    case inverse(ScalarSet)

    static func scalar(_ value: UInt32) -> ScalarSet { .range(value...value) }

    /// What `\w` matches, for word boundaries: what is alphabetic, marks, decimal digits, connectors.
    static let word = ScalarSet.union([
        .categories([
            CategorySet(name: "L")!, CategorySet(name: "M")!, CategorySet(.nd), CategorySet(.nl), CategorySet(.pc),
        ]),
        .range(0x24B6...0x24E9), .range(0x1F130...0x1F149), .range(0x1F150...0x1F169), .range(0x1F170...0x1F189),
    ])

    /// The property Script=Han.
    static let han = ScalarSet.union(
        [
            0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
            0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D, 0xFA70...0xFAD9, 0x16FE2...0x16FE3,
            0x16FF0...0x16FF1, 0x20000...0x2A6DF, 0x2A700...0x2B739, 0x2B740...0x2B81D, 0x2B820...0x2CEA1,
            0x2CEB0...0x2EBE0, 0x2EBF0...0x2EE5D, 0x2F800...0x2FA1D, 0x30000...0x3134A, 0x31350...0x323AF,
        ].map { .range($0) })

    func contains(_ scalar: UInt32, _ category: GeneralCategory) -> Bool {
        switch self {
        case .range(let range): range.contains(scalar)
        case .categories(let set): set.contains(CategorySet(category))
        case .whitespace: WhiteSpace.contains(scalar)
        case .union(let sets): sets.contains { $0.contains(scalar, category) }
        case .intersection(let a, let b): a.contains(scalar, category) && b.contains(scalar, category)
        case .inverse(let set): !set.contains(scalar, category)
        }
    }

    /// Scalars at which membership may change beside the borders of category runs.
    func addBorders(to borders: inout [UInt32]) {
        switch self {
        case .range(let range): borders += [range.lowerBound, range.upperBound + 1]
        case .categories: break
        case .whitespace: for range in WhiteSpace.ranges { borders += [range.lowerBound, range.upperBound + 1] }
        case .union(let sets): for set in sets { set.addBorders(to: &borders) }
        case .intersection(let a, let b):
            a.addBorders(to: &borders)
            b.addBorders(to: &borders)
        case .inverse(let set): set.addBorders(to: &borders)
        }
    }

    /// With the other case of every ASCII letter.
    var ignoringCase: ScalarSet {
        switch self {
        case .range(let range) where range.count == 1:
            switch range.lowerBound {
            case 0x41...0x5A, 0x61...0x7A: .union([self, .scalar(range.lowerBound ^ 0x20)])
            default: self
            }
        case .union(let sets): .union(sets.map { $0.ignoringCase })
        default: self
        }
    }
}
