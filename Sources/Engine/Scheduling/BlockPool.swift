package import Tokenizer

/// The blocks of the KV cache: which are free, by how many sequences each is used, and which hold tokens that another sequence may
/// start with.
///
/// A full block can be *registered*: from then on a sequence with the same tokens at the same place finds it. A block is known by what
/// it holds and by the registered block before it, both compared exactly, so equal keys are equal prefixes. Registered blocks that
/// nobody uses stay until their room is needed, the least recently used first.
///
/// Where the model has windowed layers, a block can have a *window block* beside it, which holds the same tokens for those layers and
/// has users of its own (``WindowBlocks``).
///
/// A value without tensors; nothing here allocates after the initializer.
package struct BlockPool: Sendable {
    /// Positions of a block.
    package static let blockLength = 32

    /// Names a registered block, and through it the whole prefix up to its end. Never used twice.
    package struct Prefix: Hashable, Sendable {
        fileprivate let number: Int

        /// The empty prefix, before the first block.
        package static let empty = Prefix(number: 0)
    }

    private struct Block {
        var references: Int32 = 0
        /// `nil` while the block is not registered.
        var prefix: Prefix?
        /// The prefix that a registered block goes on from.
        var parent = Prefix.empty
        /// The next registered block of the same bucket.
        var nextInBucket: Int32 = none
    }

    private static let none: Int32 = -1

    package let count: Int
    private var blocks: [Block]
    /// The tokens of registered blocks, ``blockLength`` for each.
    private var tokens: [TokenID]
    /// Blocks without use or content.
    private var free: [Int32]
    /// First registered block of each bucket of a hash table over prefix and tokens.
    private var buckets: [Int32]
    /// Registered blocks that nobody uses.
    private var idle: RecencyList
    private var lastPrefix = 0
    /// How often a block was looked for by its tokens: the costly part of finding a prefix.
    package private(set) var searches = 0
    private var windows: WindowBlocks

    /// - Parameter windowCount: Window blocks; 0 where the model has no windowed layers.
    package init(count: Int, windowCount: Int = 0) {
        self.count = count
        blocks = Array(repeating: Block(), count: count)
        tokens = Array(repeating: 0, count: count * Self.blockLength)
        free = (0..<Int32(count)).reversed()
        idle = RecencyList(capacity: count)
        windows = WindowBlocks(owners: count, count: windowCount)
        var size = 16
        while size < 2 * count { size *= 2 }
        buckets = Array(repeating: Self.none, count: size)
    }

    /// Blocks that hold `positions` positions.
    package static func blocks(for positions: Int) -> Int { (positions + blockLength - 1) / blockLength }

    /// Blocks that can be allocated: the free and the idle ones.
    package var available: Int { free.count + idle.count }
    package var inUse: Int { count - available }
    package func references(to block: Int32) -> Int { Int(blocks[Int(block)].references) }

    /// A block for one user, its content undefined; `nil` where all are in use. Takes the idle block that was used longest ago when
    /// none is free.
    package mutating func allocate() -> Int32? {
        let block: Int32
        if let unused = free.popLast() {
            block = unused
        } else if let oldest = idle.oldest {
            block = oldest
            idle.remove(block)
            unregister(block)
            windows.drop(block)
        } else {
            return nil
        }
        blocks[Int(block)].references = 1
        return block
    }

    /// Adds a user.
    package mutating func retain(_ block: Int32) {
        if blocks[Int(block)].references == 0 {
            precondition(blocks[Int(block)].prefix != nil, "block \(block) is free")
            idle.remove(block)
        }
        blocks[Int(block)].references += 1
    }

    /// Takes a user away. Release a sequence from its end, so that of idle blocks the ends of prefixes go first.
    package mutating func release(_ block: Int32) {
        precondition(blocks[Int(block)].references > 0, "block \(block) is not in use")
        blocks[Int(block)].references -= 1
        guard blocks[Int(block)].references == 0 else { return }
        if blocks[Int(block)].prefix == nil {
            windows.drop(block)
            free.append(block)
        } else {
            idle.append(block)
        }
    }
}

// MARK: Prefixes

extension BlockPool {
    /// The prefix that ends with a registered block.
    package func prefix(endingWith block: Int32) -> Prefix? { blocks[Int(block)].prefix }

    /// The registered block that holds these tokens behind `prefix`.
    package mutating func block(after prefix: Prefix, tokens: ArraySlice<TokenID>) -> Int32? {
        searches += 1
        var candidate = buckets[bucket(prefix, tokens)]
        while candidate != Self.none {
            if blocks[Int(candidate)].parent == prefix, holds(candidate, tokens) { return candidate }
            candidate = blocks[Int(candidate)].nextInBucket
        }
        return nil
    }

    /// Registers a block that is in use and full.
    ///
    /// - Returns: The block to use from now on. It is another one where an equal block was registered before; it then has one user
    ///   more, and `block` one less.
    package mutating func register(_ block: Int32, after prefix: Prefix, tokens: ArraySlice<TokenID>) -> Int32 {
        precondition(tokens.count == Self.blockLength && blocks[Int(block)].prefix == nil)
        if let equal = self.block(after: prefix, tokens: tokens) {
            retain(equal)
            windows.merge(block, into: equal)
            release(block)
            return equal
        }
        lastPrefix += 1
        let bucket = bucket(prefix, tokens)
        blocks[Int(block)].prefix = Prefix(number: lastPrefix)
        blocks[Int(block)].parent = prefix
        blocks[Int(block)].nextInBucket = buckets[bucket]
        buckets[bucket] = block
        for (offset, token) in tokens.enumerated() { self.tokens[Int(block) * Self.blockLength + offset] = token }
        return block
    }

    private func content(_ block: Int32) -> ArraySlice<TokenID> {
        tokens[Int(block) * Self.blockLength..<(Int(block) + 1) * Self.blockLength]
    }

    private func holds(_ block: Int32, _ tokens: ArraySlice<TokenID>) -> Bool { content(block) == tokens }

    private func bucket(_ prefix: Prefix, _ tokens: ArraySlice<TokenID>) -> Int {
        // Swift's hash is seeded per process: nobody can send prompts that all fall into one bucket.
        var hasher = Hasher()
        hasher.combine(prefix)
        for token in tokens { hasher.combine(token) }
        return hasher.finalize() & (buckets.count - 1)
    }

    private mutating func unregister(_ block: Int32) {
        let bucket = bucket(blocks[Int(block)].parent, content(block))
        let next = blocks[Int(block)].nextInBucket
        if buckets[bucket] == block {
            buckets[bucket] = next
        } else {
            var before = buckets[bucket]
            while blocks[Int(before)].nextInBucket != block { before = blocks[Int(before)].nextInBucket }
            blocks[Int(before)].nextInBucket = next
        }
        blocks[Int(block)].prefix = nil
        blocks[Int(block)].nextInBucket = Self.none
    }
}

// MARK: Windows

extension BlockPool {
    package var windowsInUse: Int { windows.inUse }
    /// The window block beside a block: it may be used by others, or kept without use.
    package func window(of block: Int32) -> Int32? { windows[block] }
    /// Users of the window block beside a block.
    package func windowReferences(of block: Int32) -> Int { windows[block].map(windows.references) ?? 0 }
    /// Adds a user to the window block of a block in use, which gets one where it has none, its content undefined.
    mutating func holdWindow(of block: Int32) { windows.hold(block) }
    /// Takes a user of the window block away. Before the block itself is released, so must its window block be.
    mutating func releaseWindow(of block: Int32) { windows.release(block) }
}
