import Glibc

/// The tokens still possible in one step, ascending by id, with their scores: what the steps of the chain change and thin out.
///
/// One value serves all sequences of an engine thread: its buffers grow to the vocabulary once and are reused.
package struct Candidates: Sendable {
    private(set) var count = 0
    private var ids: [Int32] = []
    /// Never NaN nor plus infinity. Padded to whole lanes with minus infinity.
    private var scores: [Float] = []
    /// exp(score - maximum), set by ``normalize()``.
    private var weights: [Float] = []
    /// Sums of the weights of each block.
    private var blockTotals: [Double] = []
    /// The greatest score, set by ``normalize()``.
    private(set) var maximum: Float = 0
    /// The sum of all weights, set by ``normalize()``.
    private(set) var total = 0.0
    private var selection = RadixSelection()

    package init() {}

    /// Starts a step: every token of the vocabulary, with its logit for a score.
    mutating func load(_ logits: Span<Float>) {
        count = logits.count
        let padded = (count + Lanes.scalarCount - 1) / Lanes.scalarCount * Lanes.scalarCount
        if scores.count < padded {
            ids = Array(repeating: 0, count: padded)
            scores = Array(repeating: 0, count: padded)
            weights = Array(repeating: 0, count: padded)
            blockTotals = Array(repeating: 0, count: (padded + blockLength - 1) / blockLength)
            selection.reserve(padded)
        }
        for index in 0..<count { ids[index] = Int32(truncatingIfNeeded: index) }
        for index in stride(from: 0, to: count, by: Lanes.scalarCount) {
            scores.store(usable(logits.lanes(at: index)), at: index)
        }
    }

    /// The scores, in the order of the ids.
    var scoreSpan: Span<Float> {
        @_lifetime(borrow self) get { scores.span.extracting(0..<count) }
    }

    func id(at index: Int) -> Int32 { ids[index] }
    func score(at index: Int) -> Float { scores[index] }

    /// Changes the score of a token; only before any token has been dropped, when a token's place is its id.
    mutating func update(_ id: Int32, _ change: (Float) -> Float) {
        let index = Int(id)
        scores[index] = usable(change(scores[index]))
    }

    /// Subtracts the greatest score, which changes no probability and keeps every quotient from overflowing, and divides.
    mutating func divide(by divisor: Float) {
        let maximum = scoreSpan.maximum()
        for index in stride(from: 0, to: count, by: Lanes.scalarCount) {
            scores.store((scores.lanes(at: index) - maximum) / divisor, at: index)
        }
    }
}

// MARK: Probabilities

extension Candidates {
    /// Sets the weights, which are proportional to the probabilities, and their sums.
    mutating func normalize() {
        maximum = scoreSpan.maximum()
        total = 0
        for block in stride(from: 0, to: count, by: blockLength) {
            var sums = SIMD16<Double>.zero
            for index in stride(from: block, to: min(block + blockLength, count), by: Lanes.scalarCount) {
                let lanes = exponential(scores.lanes(at: index) - maximum)
                weights.store(lanes, at: index)
                sums += SIMD16<Double>(lanes)
            }
            let sum = sums.sum()
            blockTotals[block / blockLength] = sum
            total += sum
        }
    }

    /// The weight of a score under the last ``normalize()``, bit for bit as summed there.
    func weight(_ score: Float) -> Float { exponential(Lanes(repeating: score - maximum))[0] }

    /// The log-probability of a score under the last ``normalize()``.
    func logprob(_ score: Float) -> Float { score - maximum - Float(log(total)) }

    /// The `n` likeliest candidates, ties with the last of them included, impossible ones left out.
    mutating func top(_ n: Int) -> [TokenLogprob] {
        let threshold = max(score(ofRank: min(n, count)), -.greatestFiniteMagnitude)
        var top: [TokenLogprob] = []
        for index in 0..<count where scores[index] >= threshold {
            top.append(TokenLogprob(id: ids[index], logprob: logprob(scores[index])))
        }
        // Sorting is not stable by promise, so equal ones are told apart by id.
        return top.sorted { ($1.logprob, $0.id) < ($0.logprob, $1.id) }
    }

    /// The mean score, weighted by probability, relative to the greatest: minus the entropy, plus the logarithm of the total.
    func expectedScore() -> Float {
        var sum = 0.0
        for index in 0..<count where weights[index] > 0 {
            sum += Double(weights[index]) * Double(scores[index] - maximum)
        }
        return Float(sum / total)
    }

    /// The place of the candidate where the cumulated probability, in ascending order of ids, first exceeds `uniform` (0 ..< 1).
    func draw(_ uniform: Double) -> Int {
        let target = uniform * total
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

// MARK: Thinning out

extension Candidates {
    /// Keeps the candidates whose score is at least `threshold`.
    mutating func keep(scoresFrom threshold: Float) {
        var kept = 0
        for start in stride(from: 0, to: count, by: Lanes.scalarCount) {
            let lanes = scores.lanes(at: start)
            guard any(lanes .>= threshold) else { continue }
            for lane in 0..<min(Lanes.scalarCount, count - start) where lanes[lane] >= threshold {
                ids[kept] = ids[start + lane]
                scores[kept] = lanes[lane]
                kept += 1
            }
        }
        shrink(to: kept)
    }

    /// Keeps the candidates whose score passes, in ascending order of ids.
    mutating func keep(where isKept: (Float) -> Bool) {
        var kept = 0
        for index in 0..<count where isKept(scores[index]) {
            ids[kept] = ids[index]
            scores[kept] = scores[index]
            kept += 1
        }
        shrink(to: kept)
    }

    private mutating func shrink(to kept: Int) {
        count = kept
        for index in kept..<min(kept + Lanes.scalarCount, scores.count) { scores[index] = -.infinity }
    }

    /// The `rank`-th greatest score, ties counted, `rank` from 1 to ``count``.
    mutating func score(ofRank rank: Int) -> Float {
        selection.removeAll()
        var floor = -Float.infinity
        if rank * Lanes.scalarCount * 4 <= count {
            // The rank-th greatest of the maxima of disjoint groups is a lower bound: few scores reach it.
            for index in stride(from: 0, to: count, by: Lanes.scalarCount) {
                selection.append(key: Self.descending(scores.lanes(at: index).max()), weight: 1)
            }
            floor = Self.score(selection.crossing(Double(rank)).key)
            selection.removeAll()
        }
        for start in stride(from: 0, to: count, by: Lanes.scalarCount) {
            let lanes = scores.lanes(at: start)
            guard any(lanes .>= floor) else { continue }
            for lane in 0..<min(Lanes.scalarCount, count - start) where lanes[lane] >= floor {
                selection.append(key: Self.descending(lanes[lane]), weight: 1)
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

extension [Float] {
    @inline(__always)
    fileprivate func lanes(at index: Int) -> Lanes { span.lanes(at: index) }

    /// Stores lanes that lie inside the array.
    @inline(__always)
    fileprivate mutating func store(_ lanes: Lanes, at index: Int) {
        var span = mutableSpan
        var bytes = unsafe span.mutableBytes
        bytes.storeBytes(of: lanes, toByteOffset: index &* MemoryLayout<Float>.stride, as: Lanes.self)
    }
}
