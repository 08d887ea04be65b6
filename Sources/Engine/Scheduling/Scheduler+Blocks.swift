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

    /// The registered blocks that a sequence can go on with instead of computing them: as many as are there and leave the row behind
    /// them all window blocks that it reaches.
    ///
    /// Looking past blocks whose window blocks are missing is for nothing as a rule, and a prefix may be long: who has done so without
    /// success does it again when it has computed a part of what it looked at, so that all of its searches together are linear.
    private mutating func cachedBlocks(for index: Int) -> [Int32] {
        let sequence = running[index]
        let looksFar = sequence.registered >= sequence.nextFarSearch
        var found: [Int32] = []
        var usable = 0
        var prefix = prefix(of: sequence)
        var place = sequence.registered
        // The last place before which window blocks are missing.
        var gap = sequence.window.lowerBound
        while canShare(place, sequence), let block = pool.block(after: prefix, tokens: Self.content(place, sequence)),
            let next = pool.prefix(endingWith: block)
        {
            found.append(block)
            prefix = next
            place += 1
            if let windows {
                if pool.window(of: block) == nil {
                    if !looksFar { break }
                    gap = place
                }
                if windows.firstPlace(from: place * BlockPool.blockLength) < gap { continue }
            }
            usable = found.count
        }
        if usable == 0, looksFar {
            running[index].nextFarSearch = sequence.registered + (found.count + Self.searchShare - 1) / Self.searchShare
        }
        found.removeLast(found.count - usable)
        return found
    }

    /// A sequence computes one in so many of the blocks that it has looked at in vain before it looks again.
    private static let searchShare = 8

    /// Whether two sequences are at the same block of the same prefix, so that the second can wait for what the first computes.
    func isSameBlockNext(_ first: Sequence, _ second: Sequence) -> Bool {
        canShare(second.registered, second) && first.tokens.count >= (first.registered + 1) * BlockPool.blockLength
            && prefix(of: first) == prefix(of: second)
            && Self.content(first.registered, first) == Self.content(second.registered, second)
    }

    /// Whether a block may be taken over: at least one token, and every token whose logits are wanted, is left to compute.
    private func canShare(_ place: Int, _ sequence: Sequence) -> Bool {
        (place + 1) * BlockPool.blockLength <= min(sequence.outputsFrom, sequence.tokens.count - 1)
    }

    /// Takes over blocks still to be computed that others have computed already.
    mutating func adoptCachedBlocks(_ index: Int) {
        let blocks = cachedBlocks(for: index)
        guard !blocks.isEmpty else { return }
        // A part of the first may have been computed.
        releaseWindow(of: index, from: running[index].registered)
        for block in blocks {
            pool.retain(block)
            let place = running[index].registered
            if place < running[index].table.count {
                pool.release(running[index].table[place])
                running[index].table[place] = block
            } else {
                running[index].table.append(block)
            }
            running[index].registered += 1
        }
        running[index].computed = running[index].registered * BlockPool.blockLength
        slideWindow(of: index)
    }

    mutating func releaseBlocks(of index: Int) {
        releaseWindow(of: index)
        running[index].window = 0..<0
        while let block = running[index].table.popLast() { pool.release(block) }
        running[index].computed = 0
        running[index].registered = 0
        running[index].nextFarSearch = 0
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
