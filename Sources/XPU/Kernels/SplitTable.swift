/// How many sub-groups share the columns of a matrix. A function of the shape alone: it decides the order of a sum.
package enum SplitTable {
    /// Sub-groups that keep a device busy.
    private static let target = 2048
    private static let most = 16
    /// Columns that are worth a sub-group.
    private static let least = 128

    package static func splits(rows: Int, columns: Int) -> Int {
        let tiles = (rows + WeightLayout.tileRows - 1) / WeightLayout.tileRows
        var splits = 1
        while splits < most, tiles * splits < target, columns >= 2 * splits * least { splits *= 2 }
        return splits
    }
}
