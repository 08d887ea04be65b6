package import Tokenizer

/// The blocks of the KV cache: which are free, by how many sequences each is used, and which hold tokens that another sequence may
/// start with.
///
/// A full block can be *registered*: from then on a sequence with the same tokens at the same place finds it. A block is known by what
/// it holds and by the registered block before it, both compared exactly, so equal keys are equal prefixes. Registered blocks that
/// nobody uses stay until their room is needed, the least recently used first.
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
        /// Neighbours among the idle blocks.
        var older: Int32 = none
        var newer: Int32 = none
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
    /// Ends of the list of idle blocks: registered and used by nobody.
    private var oldest = none
    private var newest = none
    private var idleCount = 0
    private var lastPrefix = 0

    package init(count: Int) {
        self.count = count
        blocks = Array(repeating: Block(), count: count)
        tokens = Array(repeating: 0, count: count * Self.blockLength)
        free = (0..<Int32(count)).reversed()
        var size = 16
        while size < 2 * count { size *= 2 }
        buckets = Array(repeating: Self.none, count: size)
    }

    /// Blocks that hold `positions` positions.
    package static func blocks(for positions: Int) -> Int { (positions + blockLength - 1) / blockLength }

    /// Blocks that can be allocated: the free and the idle ones.
    package var available: Int { free.count + idleCount }
    package var inUse: Int { count - available }
    package func references(to block: Int32) -> Int { Int(blocks[Int(block)].references) }

    /// A block for one user, its content undefined; `nil` where all are in use. Takes the idle block that was used longest ago when
    /// none is free.
    package mutating func allocate() -> Int32? {
        let block: Int32
        if let unused = free.popLast() {
            block = unused
        } else if oldest != Self.none {
            block = oldest
            unlink(block)
            unregister(block)
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
            unlink(block)
        }
        blocks[Int(block)].references += 1
    }

    /// Takes a user away. Release a sequence from its end, so that of idle blocks the ends of prefixes go first.
    package mutating func release(_ block: Int32) {
        precondition(blocks[Int(block)].references > 0, "block \(block) is not in use")
        blocks[Int(block)].references -= 1
        guard blocks[Int(block)].references == 0 else { return }
        if blocks[Int(block)].prefix == nil { free.append(block) } else { link(block) }
    }
}

// MARK: Prefixes

extension BlockPool {
    /// The prefix that ends with a registered block.
    package func prefix(endingWith block: Int32) -> Prefix? { blocks[Int(block)].prefix }

    /// The registered block that holds these tokens behind `prefix`.
    package func block(after prefix: Prefix, tokens: ArraySlice<TokenID>) -> Int32? {
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

// MARK: Idle blocks

extension BlockPool {
    private mutating func link(_ block: Int32) {
        blocks[Int(block)].older = newest
        blocks[Int(block)].newer = Self.none
        if newest == Self.none { oldest = block } else { blocks[Int(newest)].newer = block }
        newest = block
        idleCount += 1
    }

    private mutating func unlink(_ block: Int32) {
        let older = blocks[Int(block)].older
        let newer = blocks[Int(block)].newer
        if older == Self.none { oldest = newer } else { blocks[Int(older)].newer = newer }
        if newer == Self.none { newest = older } else { blocks[Int(newer)].older = older }
        idleCount -= 1
    }
}
