internal import Compute
internal import Glibc

/// The choice of experts for one row.
extension Routing {
    /// Chooses the experts of a row, the best by rank, ties to the lower index, in ascending order of index, and weighs them.
    func choose(_ row: Int, _ logits: UnsafePointer<Float>, bias: UnsafePointer<Float>?) {
        let used = op.used
        let chosen = unsafe memory.chosen + row * used
        let top = unsafe largest(logits)
        unsafe findBest(rank(logits, top, bias), 0..<experts, used, chosen)
        var sorted = unsafe UnsafeMutableBufferPointer(start: chosen, count: used)
        unsafe sorted.sort()
        let share = unsafe memory.shares + row * used
        for index in 0..<used { unsafe share[index] = score(logits[Int(chosen[index])], top) }
        var total: Float = 1
        if op.routing.normalised {
            total = 0
            for index in 0..<used { total += unsafe share[index] }
        } else if op.routing.score == .softmax {
            total = unsafe sumOfExponentials(logits, top)
        }
        for index in 0..<used { unsafe share[index] = share[index] / total * op.routing.scale }
    }

    /// Logits where they order the experts as their scores do, else scores with their bias, and none for excluded groups.
    private func rank(
        _ logits: UnsafePointer<Float>, _ top: Float, _ bias: UnsafePointer<Float>?
    ) -> UnsafePointer<Float> {
        let groups = op.routing.groups
        if unsafe bias == nil && groups == nil { return unsafe logits }
        let total = unsafe op.routing.score == .softmax ? sumOfExponentials(logits, top) : 1
        for expert in 0..<experts {
            unsafe memory.ranks[expert] = score(logits[expert], top) / total + (bias.map { unsafe $0[expert] } ?? 0)
        }
        if let groups { exclude(groups) }
        return unsafe UnsafePointer(memory.ranks)
    }

    private func exclude(_ groups: Op.Routing.Groups) {
        let size = experts / groups.count
        let list = unsafe memory.order
        for group in 0..<groups.count {
            unsafe findBest(memory.ranks, group * size..<(group + 1) * size, groups.best, list)
            var sum: Float = 0
            for index in 0..<groups.best { sum += unsafe memory.ranks[Int(list[index])] }
            unsafe memory.groupRanks[group] = sum
        }
        unsafe findBest(memory.groupRanks, 0..<groups.count, groups.used, list)
        for group in 0..<groups.count {
            let isKept = (0..<groups.used).contains { unsafe Int(list[$0]) == group }
            guard !isKept else { continue }
            for expert in group * size..<(group + 1) * size { unsafe memory.ranks[expert] = -.infinity }
        }
    }

    /// Indices of the `count` largest ranks of a range, best first, ties to the lower index.
    private func findBest(
        _ ranks: UnsafePointer<Float>, _ range: Range<Int>, _ count: Int, _ best: UnsafeMutablePointer<Int32>
    ) {
        var found = 0
        for index in range {
            var place = found
            while place > 0, unsafe ranks[index] > ranks[Int(best[place - 1])] { place -= 1 }
            guard place < count else { continue }
            for later in stride(from: min(found, count - 1), to: place, by: -1) {
                unsafe best[later] = best[later - 1]
            }
            unsafe best[place] = Int32(index)
            found = min(found + 1, count)
        }
    }

    private func largest(_ logits: UnsafePointer<Float>) -> Float {
        var top = unsafe logits[0]
        for expert in 0..<experts where unsafe logits[expert] > top { top = unsafe logits[expert] }
        return top
    }

    /// The score of a logit; for a softmax, before the division.
    private func score(_ logit: Float, _ top: Float) -> Float {
        switch op.routing.score {
        case .softmax: expf(logit - top)
        case .sigmoid: 1 / (1 + expf(-logit))
        }
    }

    private func sumOfExponentials(_ logits: UnsafePointer<Float>, _ top: Float) -> Float {
        var total: Float = 0
        for expert in 0..<experts { total += unsafe expf(logits[expert] - top) }
        return total
    }
}
