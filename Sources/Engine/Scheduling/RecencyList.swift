/// Blocks in the order in which they were added, any of which can be taken out. Nothing allocates after the initializer.
struct RecencyList: Sendable {
    private static let none: Int32 = -1

    private var older: [Int32]
    private var newer: [Int32]
    private var first = none
    private var last = none
    private(set) var count = 0

    /// - Parameter capacity: Blocks are numbered below it.
    init(capacity: Int) {
        older = Array(repeating: Self.none, count: capacity)
        newer = older
    }

    /// The block that was added longest ago.
    var oldest: Int32? { first == Self.none ? nil : first }

    mutating func append(_ block: Int32) {
        older[Int(block)] = last
        newer[Int(block)] = Self.none
        if last == Self.none { first = block } else { newer[Int(last)] = block }
        last = block
        count += 1
    }

    mutating func remove(_ block: Int32) {
        let (before, behind) = (older[Int(block)], newer[Int(block)])
        if before == Self.none { first = behind } else { newer[Int(before)] = behind }
        if behind == Self.none { last = before } else { older[Int(behind)] = before }
        count -= 1
    }
}
