/// The blocks of a model's windowed layers. Each belongs to a block of the other layers, its *owner*, and holds the same tokens; an owner
/// whose tokens are out of everybody's reach has none, or one that is kept until its room is needed.
///
/// A value without tensors; nothing here allocates after the initializer.
struct WindowBlocks: Sendable {
    private static let none: Int32 = -1

    /// Block of each owner, owner of each block, users of each block.
    private var blocks: [Int32]
    private var owners: [Int32]
    private var references: [Int32]
    /// Blocks without an owner.
    private var free: [Int32]
    /// Blocks with an owner and without users.
    private var idle: RecencyList

    /// - Parameter count: 0 where a model has no windowed layers.
    init(owners ownerCount: Int, count: Int) {
        blocks = Array(repeating: Self.none, count: ownerCount)
        owners = Array(repeating: Self.none, count: count)
        references = Array(repeating: 0, count: count)
        free = (0..<Int32(count)).reversed()
        idle = RecencyList(capacity: count)
    }

    var inUse: Int { owners.count - free.count - idle.count }
    subscript(owner: Int32) -> Int32? {
        let block = blocks[Int(owner)]
        return block == Self.none ? nil : block
    }
    func references(to block: Int32) -> Int { Int(references[Int(block)]) }

    /// Adds a user to the block of `owner`, which gets one where it has none: a free one, or the one without use for longest.
    mutating func hold(_ owner: Int32) {
        if let block = self[owner] {
            if references[Int(block)] == 0 { idle.remove(block) }
            references[Int(block)] += 1
            return
        }
        if free.isEmpty {
            guard let block = idle.oldest else { preconditionFailure("more window blocks in use than were planned") }
            drop(owners[Int(block)])
        }
        let block = free.removeLast()
        blocks[Int(owner)] = block
        owners[Int(block)] = owner
        references[Int(block)] = 1
    }

    /// Takes a user away from the block of `owner`.
    mutating func release(_ owner: Int32) {
        let block = Int(blocks[Int(owner)])
        precondition(references[block] > 0, "block \(owner) has no window in use")
        references[block] -= 1
        if references[block] == 0 { idle.append(Int32(block)) }
    }

    /// Frees the block of `owner`, which nobody may use; nothing happens where it has none.
    mutating func drop(_ owner: Int32) {
        guard let block = self[owner] else { return }
        precondition(references[Int(block)] == 0, "block \(owner) loses a window in use")
        idle.remove(block)
        owners[Int(block)] = Self.none
        blocks[Int(owner)] = Self.none
        free.append(block)
    }

    /// Moves the only user of the block of `owner` over to that of `equal`, which holds the same tokens.
    mutating func merge(_ owner: Int32, into equal: Int32) {
        guard let block = self[owner] else { return }
        precondition(references[Int(block)] == 1, "block \(owner) is shared")
        if self[equal] == nil {
            blocks[Int(equal)] = block
            owners[Int(block)] = equal
            blocks[Int(owner)] = Self.none
        } else {
            release(owner)
            drop(owner)
            hold(equal)
        }
    }
}
