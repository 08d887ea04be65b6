/// General category of a scalar, in the order of `UnicodeData.categoryRuns`.
package enum GeneralCategory: UInt8, CaseIterable {
    case lu, ll, lt, lm, lo
    case mn, mc, me
    case nd, nl, no
    case pc, pd, ps, pe, pi, pf, po
    case sm, sc, sk, so
    case zs, zl, zp
    case cc, cf, cs, co, cn
}

/// A set of general categories, one bit each.
struct CategorySet: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }
    init(_ category: GeneralCategory) { self.init(rawValue: 1 << UInt32(category.rawValue)) }

    /// The categories that `\p{name}` stands for: one ("Lu") or all that start with a letter ("L").
    init?(name: String) {
        let named = GeneralCategory.allCases.filter { "\($0)".hasPrefix(name.lowercased()) }
        guard !named.isEmpty else { return nil }
        self.init(named.map { CategorySet($0) })
    }

    static let mark = CategorySet([CategorySet(.mn), CategorySet(.mc), CategorySet(.me)])
    static let punctuation = CategorySet(name: "P")!
    static let symbol = CategorySet(name: "S")!
}

/// Categories of single scalars, by binary search: for text outside the hot loops.
extension GeneralCategory {
    package init(of scalar: UInt32) {
        let runs = UnicodeData.categoryRuns
        var low = 0
        var high = runs.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if runs[middle] >> 5 <= scalar { low = middle } else { high = middle }
        }
        self = GeneralCategory(rawValue: UInt8(runs[low] & 31))!
    }
}

/// Scalars with the property White_Space.
enum WhiteSpace {
    static let ranges: [ClosedRange<UInt32>] = [
        0x09...0x0D, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ]

    static func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }
}
