/// What makes two neighbours one token.
protocol MergeRule: Sendable {
    /// Priority << 32 | resulting token, the smallest priority first; `UInt64.max` if the two do not merge.
    /// - Parameter text: The bytes that both stand for.
    func merge(_ left: TokenID, _ right: TokenID, _ text: Span<UInt8>) -> UInt64
}

extension MergeTable: MergeRule {
    @inline(__always)
    func merge(_ left: TokenID, _ right: TokenID, _ text: Span<UInt8>) -> UInt64 {
        left < 0 || right < 0 ? .max : find(left, right)
    }
}

/// Merges of a SentencePiece vocabulary: two neighbours whose text is a token, the highest score first.
struct ScoreRule: MergeRule {
    let vocabulary: Vocabulary

    @inline(__always)
    func merge(_ left: TokenID, _ right: TokenID, _ text: Span<UInt8>) -> UInt64 {
        guard let id = vocabulary.id(ofKey: text) else { return .max }
        return UInt64(Self.priority(vocabulary.scores[Int(id)])) << 32 | UInt64(UInt32(bitPattern: id))
    }

    /// Smaller for higher scores, in the order of all floats.
    private static func priority(_ score: Float) -> UInt32 {
        let bits = (score + 0).bitPattern
        return bits >> 31 == 0 ? 0x7FFF_FFFF - bits : bits
    }
}

/// Merges the symbols of one word until nothing merges any more: always the pair of the smallest priority, the leftmost first.
struct Merger {
    private struct Symbol {
        var id: TokenID
        var start: Int
        var end: Int
        var previous: Int
        var next: Int
        /// Priority << 32 | result of merging with the next symbol.
        var merge: UInt64
    }

    /// Up to so many symbols a scan for the best pair is faster than a heap.
    private static let scanLimit = 24

    private var symbols: [Symbol] = []
    /// Priority << 32 | index of the left symbol; may be outdated.
    private var heap: [UInt64] = []

    mutating func begin() { symbols.removeAll(keepingCapacity: true) }

    /// Adds a symbol that stands for `range` of the word; -1 if it is no token.
    @inline(__always)
    mutating func append(_ id: TokenID, _ range: Range<Int>) {
        symbols.append(
            Symbol(
                id: id, start: range.lowerBound, end: range.upperBound, previous: symbols.count - 1,
                next: symbols.count + 1, merge: .max))
    }

    /// Calls `emit` with each symbol that is left, in order.
    mutating func run(
        _ rule: some MergeRule, _ text: Span<UInt8>, _ emit: (TokenID, Range<Int>) -> Void
    ) {
        guard !symbols.isEmpty else { return }
        for index in 0..<symbols.count - 1 { update(index, rule, text) }
        if symbols.count <= Self.scanLimit { scan(rule, text) } else { drain(rule, text) }
        var index = 0
        while index < symbols.count {
            let symbol = symbols[index]
            emit(symbol.id, symbol.start..<symbol.end)
            index = symbol.next
        }
    }

    @inline(__always)
    private mutating func update(_ index: Int, _ rule: some MergeRule, _ text: Span<UInt8>) {
        let left = symbols[index]
        guard left.next < symbols.count else {
            symbols[index].merge = .max
            return
        }
        let right = symbols[left.next]
        symbols[index].merge = rule.merge(left.id, right.id, text.extracting(left.start..<right.end))
    }

    /// Makes the symbol at `index` and the next one into what their merge says.
    @inline(__always)
    private mutating func apply(_ index: Int, _ rule: some MergeRule, _ text: Span<UInt8>) {
        let right = symbols[index].next
        let after = symbols[right].next
        symbols[index].id = TokenID(bitPattern: UInt32(truncatingIfNeeded: symbols[index].merge))
        symbols[index].end = symbols[right].end
        symbols[index].next = after
        symbols[right].merge = .max
        if after < symbols.count { symbols[after].previous = index }
        update(index, rule, text)
        if symbols[index].previous >= 0 { update(symbols[index].previous, rule, text) }
    }

    private mutating func scan(_ rule: some MergeRule, _ text: Span<UInt8>) {
        while true {
            var best = UInt64.max
            var bestIndex = -1
            var index = 0
            while index < symbols.count {
                // The priority alone decides; of equal ones the first.
                if symbols[index].merge != .max, bestIndex < 0 || symbols[index].merge >> 32 < best {
                    best = symbols[index].merge >> 32
                    bestIndex = index
                }
                index = symbols[index].next
            }
            if bestIndex < 0 { return }
            apply(bestIndex, rule, text)
        }
    }

    private mutating func drain(_ rule: some MergeRule, _ text: Span<UInt8>) {
        heap.removeAll(keepingCapacity: true)
        for index in symbols.indices { push(index) }
        while let entry = popSmallest() {
            let index = Int(entry & 0xFFFF_FFFF)
            let merge = symbols[index].merge
            guard merge != .max, merge >> 32 == entry >> 32 else { continue }
            apply(index, rule, text)
            push(index)
            if symbols[index].previous >= 0 { push(symbols[index].previous) }
        }
    }

    // MARK: - Heap

    private mutating func push(_ index: Int) {
        guard symbols[index].merge != .max else { return }
        var child = heap.count
        let entry = symbols[index].merge & ~0xFFFF_FFFF | UInt64(index)
        heap.append(entry)
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent] <= entry { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    private mutating func popSmallest() -> UInt64? {
        guard let smallest = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return smallest }
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[child] >= last { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = last
        return smallest
    }
}
