internal import Tokenizer

/// Which blocks a sequence uses.
extension Scheduler {
    mutating func registerBlocks(of index: Int) {
        while running[index].registered < running[index].computed / BlockPool.blockLength {
            let place = running[index].registered
            let block = running[index].table[place]
            let registered = pool.register(
                block, after: prefix(of: running[index]), tokens: Self.content(place, running[index]))
            if registered != block { running[index].table[place] = registered }
            running[index].registered += 1
        }
    }

    /// The prefix that the registered blocks of a sequence make up.
    private func prefix(of sequence: Sequence) -> BlockPool.Prefix {
        guard sequence.registered > 0 else { return .empty }
        guard let prefix = pool.prefix(endingWith: sequence.table[sequence.registered - 1]) else {
            preconditionFailure("a block in use lost its registration")
        }
        return prefix
    }

    private static func content(_ block: Int, _ sequence: Sequence) -> ArraySlice<TokenID> {
        sequence.tokens[block * BlockPool.blockLength..<(block + 1) * BlockPool.blockLength]
    }

    /// The registered block that a sequence can go on with instead of computing it.
    func cachedBlock(for sequence: Sequence) -> Int32? {
        guard canShareNextBlock(sequence) else { return nil }
        return pool.block(after: prefix(of: sequence), tokens: Self.content(sequence.registered, sequence))
    }

    /// Whether two sequences are at the same block of the same prefix, so that the second can wait for what the first computes.
    func isSameBlockNext(_ first: Sequence, _ second: Sequence) -> Bool {
        canShareNextBlock(second) && first.tokens.count >= (first.registered + 1) * BlockPool.blockLength
            && prefix(of: first) == prefix(of: second)
            && Self.content(first.registered, first) == Self.content(second.registered, second)
    }

    /// At least one token, and every token whose logits are wanted, is left to compute.
    private func canShareNextBlock(_ sequence: Sequence) -> Bool {
        (sequence.registered + 1) * BlockPool.blockLength <= min(sequence.outputsFrom, sequence.tokens.count - 1)
    }

    /// Replaces blocks still to be computed by equal ones that others have computed meanwhile.
    mutating func adoptCachedBlocks(_ index: Int) {
        while let block = cachedBlock(for: running[index]) {
            pool.retain(block)
            let place = running[index].registered
            pool.release(running[index].table[place])
            running[index].table[place] = block
            running[index].registered += 1
            // A part of it may have been computed.
            running[index].computed = running[index].registered * BlockPool.blockLength
        }
    }

    mutating func releaseBlocks(of index: Int) {
        while let block = running[index].table.popLast() { pool.release(block) }
        running[index].computed = 0
        running[index].registered = 0
        running[index].draftCount = 0
    }

    mutating func preempt(_ index: Int) {
        releaseBlocks(of: index)
        Self.insert(running.remove(at: index), into: &waiting)
    }

    /// Whether the table of a sequence has room for `positions`, after allocating blocks as far as there are any.
    mutating func grow(_ index: Int, to positions: Int) -> Bool {
        while running[index].table.count * BlockPool.blockLength < positions {
            guard let block = pool.allocate() else { return false }
            running[index].table.append(block)
        }
        return true
    }
}
