internal import Compute
import Glibc

/// The tokens still possible in one step, ascending by id, with their scores: what the steps of the chain change and thin out.
///
/// They may start as the head of a row: then those not listed are known by a bound of their scores and by the sum of all weights. What
/// is decided with a head is decided to the bit as with the row; where more would have to be known, ``fallsShort`` says so and the results
/// mean nothing.
///
/// One value serves all sequences of an engine thread: its buffers grow to the vocabulary once and are reused.
package struct Candidates: ~Copyable, Sendable {
    private(set) var count = 0
    private var ids = LaneBuffer<Int32>(capacity: 0)
    /// Never NaN nor plus infinity. Minus infinity from ``count`` to the end of the last vector.
    private var scores = LaneBuffer<Float>(capacity: 0)
    /// exp(score - maximum), set by ``normalize()``.
    private var weights = LaneBuffer<Float>(capacity: 0)
    /// Sums of the weights of each block, set by ``normalize()``.
    private var blockTotals: [Double] = []
    /// The sum of all weights, set by ``normalize()``.
    private(set) var total = 0.0
    /// The greatest score, set by ``normalize()``.
    private(set) var maximum: Float = 0
    private var selection = RadixSelection()
    /// Sums of the weights of each block of a row, of which a head is loaded.
    private var rowTotals: [Double] = []
    /// What is known of possible tokens that are not listed; `nil` where there are none.
    private var unlisted: Unlisted?
    /// Whether something was asked that a head does not tell.
    private(set) var fallsShort = false

    private struct Unlisted {
        /// None of their scores is above.
        var bound: Float
        /// The sum of all weights.
        let total: Double
        let vocabulary: Int
        /// How logits became scores.
        var division: (maximum: Float, divisor: Float)?
        /// A draw from all tokens that has come to its block.
        var draw: Draw?
    }

    /// A draw between two blocks: what the cumulated weights have to exceed, and those before the block.
    private struct Draw {
        let target: Double
        let block: Int
        let sum: Double
    }

    package init() {}

    /// Whether all possible tokens are listed.
    var isComplete: Bool { unlisted == nil }
    /// Possible tokens, listed or not.
    var tokenCount: Int { unlisted?.vocabulary ?? count }

    private var vectorCount: Int { (count + Lanes.scalarCount - 1) / Lanes.scalarCount }

    /// Starts a step: every token of the vocabulary, with its logit for a score.
    mutating func load(_ logits: Span<Float>) throws(SamplingError) {
        begin(logits.count)
        var next = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
        var maxima = Lanes(repeating: -.infinity)
        for vector in 0..<vectorCount {
            ids[vector: vector] = next
            next &+= 8
            let values = logits.vector(vector)
            maxima.replace(with: values, where: values .> maxima)
            scores[vector: vector] = usable(values)
        }
        guard maxima.greatest < .infinity else { throw .overflow }
    }

    /// Starts a step from a usable head. Its row's penalties are in it; divided by the temperature it was made for, the scores fit its sums.
    mutating func load(_ head: RowHead) {
        begin(head.ids.count)
        for index in 0..<count {
            ids[index] = head.ids[index]
            scores[index] = usable(head.logits[index])
        }
        for index in count..<vectorCount * Lanes.scalarCount { scores[index] = -.infinity }
        guard count < head.vocabulary else { return }
        var total = 0.0
        rowTotals.removeAll(keepingCapacity: true)
        for index in head.blockSums.indices {
            rowTotals.append(Double(head.blockSums[index]))
            total += rowTotals[index]
        }
        unlisted = Unlisted(bound: head.threshold, total: total, vocabulary: head.vocabulary)
    }

    private mutating func begin(_ count: Int) {
        self.count = count
        unlisted = nil
        fallsShort = false
        guard scores.capacity < count else { return }
        ids = LaneBuffer(capacity: count)
        scores = LaneBuffer(capacity: count)
        weights = LaneBuffer(capacity: count)
        blockTotals = Array(repeating: 0, count: (vectorCount + blockVectors - 1) / blockVectors)
        selection.reserve(scores.capacity)
    }

    func id(at index: Int) -> Int32 { ids[index] }
    func score(at index: Int) -> Float { scores[index] }

    /// Changes the score of a token; only before any token has been dropped, when a token's place is its id.
    mutating func update(_ id: Int32, _ change: (Float) -> Float) {
        let index = Int(id)
        precondition(index < count, "token outside the vocabulary")
        scores[index] = usable(change(scores[index]))
    }

    /// Subtracts the greatest score, which changes no probability and keeps every quotient from overflowing, and divides.
    mutating func divide(by divisor: Float) {
        let maximum = greatestScore()
        for vector in 0..<vectorCount {
            scores[vector: vector] = (scores[vector: vector] - maximum) / divisor
        }
        guard let bound = unlisted?.bound else { return }
        unlisted?.bound = (bound - maximum) / divisor
        unlisted?.division = (maximum, divisor)
    }

    func greatestScore() -> Float {
        var maxima = Lanes(repeating: -.infinity)
        for vector in 0..<vectorCount {
            let values = scores[vector: vector]
            maxima.replace(with: values, where: values .> maxima)
        }
        return maxima.greatest
    }

    /// The place of the greatest score, the first of equals.
    func likeliest() -> Int? {
        let greatest = greatestScore()
        return greatest > -.infinity ? (0..<count).first { scores[$0] == greatest } : nil
    }
}

// MARK: Probabilities

extension Candidates {
    /// Sets the weights, which are proportional to the probabilities, and their sums.
    mutating func normalize() {
        let maximum = greatestScore()
        var total = 0.0
        for block in stride(from: 0, to: vectorCount, by: blockVectors) {
            var sums = Lanes.zero
            for vector in block..<min(block + blockVectors, vectorCount) {
                let lanes = exponential(scores[vector: vector] - maximum)
                weights[vector: vector] = lanes
                sums += lanes
            }
            let sum = Double(sums.sum())
            blockTotals[block / blockVectors] = sum
            total += sum
        }
        self.maximum = maximum
        self.total = unlisted?.total ?? total
    }

    /// The weight of a score under the last ``normalize()``, bit for bit as summed there.
    func weight(_ score: Float) -> Float { exponential(Lanes(repeating: score - maximum))[0] }

    /// The log-probability of a score under the last ``normalize()``.
    func logprob(_ score: Float) -> Float { score - maximum - Float(log(total)) }

    /// The `n` likeliest candidates, ties with the last of them included, impossible ones left out.
    mutating func top(_ n: Int) -> [TokenLogprob] {
        let threshold = max(score(ofRank: min(n, tokenCount)), -.greatestFiniteMagnitude)
        var top: [TokenLogprob] = []
        forEach(scoreFrom: threshold) { id, score in
            top.append(TokenLogprob(id: id, logprob: logprob(score)))
        }
        // Scores that differ may have the same logarithm: equals are told apart by id.
        return top.sorted { ($1.logprob, $0.id) < ($0.logprob, $1.id) }
    }

    /// The mean score, weighted by probability, relative to the greatest: the negative entropy plus the logarithm of the total.
    func expectedScore() -> Float {
        var sum = 0.0
        for index in 0..<count where weights[index] > 0 {
            sum += Double(weights[index]) * Double(scores[index] - maximum)
        }
        return Float(sum / total)
    }

    /// The place of the candidate where the cumulated probability, in ascending order of ids, first exceeds `uniform` (0 ..< 1). Where not
    /// all are listed, it means nothing, and ``pendingBlock`` says where the draw ends.
    mutating func draw(_ uniform: Double) -> Int {
        let target = uniform * total
        guard isComplete else {
            beginDraw(target)
            return 0
        }
        let blockLength = blockVectors * Lanes.scalarCount
        var sum = 0.0
        var start = 0
        while start + blockLength < count, sum + blockTotals[start / blockLength] <= target {
            sum += blockTotals[start / blockLength]
            start += blockLength
        }
        var last = 0
        for index in start..<count where weights[index] > 0 {
            last = index
            sum += Double(weights[index])
            if sum > target { return index }
        }
        // Rounding kept the sum below the target.
        return last
    }
}

// MARK: Heads

extension Candidates {
    /// The block of the row that ``draw(from:)`` needs.
    var pendingBlock: Int? { unlisted?.draw?.block }

    private mutating func beginDraw(_ target: Double) {
        var sum = 0.0
        var block = 0
        while block + 1 < rowTotals.count, sum + rowTotals[block] <= target {
            sum += rowTotals[block]
            block += 1
        }
        unlisted?.draw = Draw(target: target, block: block, sum: sum)
    }

    /// Ends a draw, as ``draw(_:)`` would with the whole row.
    ///
    /// - Returns: The token and its score; `nil` where rounding takes the draw beyond the block.
    mutating func draw(from block: RowBlock) -> (id: Int32, score: Float)? {
        guard let unlisted, let draw = unlisted.draw, draw.block == block.index else {
            preconditionFailure("block \(block.index) is not asked for")
        }
        var sum = draw.sum
        var last: (id: Int32, score: Float)?
        for index in block.logits.indices {
            var score = usable(block.logits[index])
            if let (maximum, divisor) = unlisted.division { score = (score - maximum) / divisor }
            let weight = self.weight(score)
            guard weight > 0 else { continue }
            last = (Int32(block.index * HeadLayout.blockLength + index), score)
            sum += Double(weight)
            if sum > draw.target { return last }
        }
        return block.index + 1 == rowTotals.count ? last : nil
    }

    /// Takes note that the answer depends on tokens that are not listed, if there are any.
    mutating func requireAll() {
        if unlisted != nil { fallsShort = true }
    }

    /// Drops the tokens that are not listed, all of which have to have scores below `threshold`.
    ///
    /// - Parameter isKnown: Whether the listed tokens were enough to find the threshold.
    mutating func dropUnlisted(below threshold: Float, if isKnown: Bool = true) {
        guard let unlisted else { return }
        if !isKnown || threshold <= unlisted.bound { fallsShort = true }
        self.unlisted = nil
    }
}

// MARK: Thinning out

extension Candidates {
    /// Keeps the candidates whose score is at least `threshold`.
    mutating func keep(scoresFrom threshold: Float) {
        dropUnlisted(below: threshold)
        var kept = 0
        for vector in 0..<vectorCount {
            let lanes = scores[vector: vector]
            guard lanes.greatest >= threshold else { continue }
            let start = vector * Lanes.scalarCount
            for index in start..<min(start + Lanes.scalarCount, count) {
                let score = scores[index]
                ids[kept] = ids[index]
                scores[kept] = score
                kept &+= score >= threshold ? 1 : 0
            }
        }
        shrink(to: kept)
    }

    /// Keeps the candidates whose score passes, asked in ascending order of ids.
    mutating func keep(where isKept: (Float) -> Bool) {
        var kept = 0
        for index in 0..<count {
            let score = scores[index]
            ids[kept] = ids[index]
            scores[kept] = score
            kept &+= isKept(score) ? 1 : 0
        }
        shrink(to: kept)
    }

    private mutating func shrink(to kept: Int) {
        count = kept
        for index in kept..<vectorCount * Lanes.scalarCount { scores[index] = -.infinity }
    }

    private func forEach(scoreFrom threshold: Float, _ body: (_ id: Int32, _ score: Float) -> Void) {
        for vector in 0..<vectorCount where scores[vector: vector].greatest >= threshold {
            let start = vector * Lanes.scalarCount
            for index in start..<min(start + Lanes.scalarCount, count) where scores[index] >= threshold {
                body(ids[index], scores[index])
            }
        }
    }

    /// The `rank`-th greatest score, ties counted, `rank` from 1 to ``tokenCount``.
    mutating func score(ofRank rank: Int) -> Float {
        let score = listedScore(ofRank: rank)
        if let unlisted, rank > count || score <= unlisted.bound { fallsShort = true }
        return score
    }

    private mutating func listedScore(ofRank rank: Int) -> Float {
        var floor = -Float.infinity
        if rank <= vectorCount / 4 {
            // The rank-th greatest of the maxima of all vectors is a lower bound, which few scores reach.
            selection.removeAll()
            for vector in 0..<vectorCount {
                selection.append(key: Self.descending(scores[vector: vector].greatest), weight: 1)
            }
            floor = Self.score(selection.crossing(Double(rank)).key)
        }
        selection.removeAll()
        for vector in 0..<vectorCount where scores[vector: vector].greatest >= floor {
            let start = vector * Lanes.scalarCount
            for index in start..<min(start + Lanes.scalarCount, count) where scores[index] >= floor {
                selection.append(key: Self.descending(scores[index]), weight: 1)
            }
        }
        return Self.score(selection.crossing(Double(rank)).key)
    }

    /// Walks the candidates in ascending order of `key`, a function of the score, until their weights sum to `mass`.
    mutating func crossing(_ mass: Double, key: (Float) -> UInt32) -> RadixSelection.Crossing {
        selection.removeAll()
        for index in 0..<count { selection.append(key: key(scores[index]), weight: weights[index]) }
        return selection.crossing(mass)
    }

    /// A key that is smaller the greater the score is.
    @inline(__always)
    static func descending(_ score: Float) -> UInt32 {
        // Adding zero makes one zero of two.
        let bits = (score + 0).bitPattern
        return bits >> 31 == 0 ? ~(bits | 0x8000_0000) : bits
    }

    /// The score of a key.
    static func score(_ key: UInt32) -> Float {
        Float(bitPattern: key >> 31 == 0 ? ~key & 0x7FFF_FFFF : key)
    }
}
