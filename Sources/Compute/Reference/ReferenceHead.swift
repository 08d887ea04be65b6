internal import Glibc

/// The head of a row as a device computes it, one loop per formula.
package enum ReferenceHead {
    /// Processes a row in place, and writes its head.
    ///
    /// - Parameters:
    ///   - changes: ``StepInputs/logitChanges``
    ///   - words: ``HeadLayout/words``
    package static func compute(
        _ request: HeadRequest, _ changes: Span<LogitChange>, _ logits: inout MutableSpan<Float>,
        into words: inout MutableSpan<UInt32>
    ) {
        process(request, changes, &logits)
        let layout = HeadLayout(vocabulary: logits.count)
        var maxima: [Float] = []
        for start in stride(from: 0, to: logits.count, by: HeadLayout.groupLength) {
            var maximum = -Float.infinity
            for id in start..<min(start + HeadLayout.groupLength, logits.count) where logits[id] > maximum {
                maximum = logits[id]
            }
            maxima.append(maximum)
        }
        maxima.sort(by: >)
        let (maximum, threshold) = (maxima[0], maxima[layout.rank - 1])

        var listed = 0
        for id in 0..<logits.count where logits[id] >= threshold {
            if listed < HeadLayout.capacity {
                words[HeadLayout.ids + listed] = UInt32(id)
                words[HeadLayout.logits + listed] = logits[id].bitPattern
            }
            listed += 1
        }
        words[HeadLayout.count] = UInt32(listed)
        words[HeadLayout.threshold] = threshold.bitPattern
        words[HeadLayout.maximum] = maximum.bitPattern
        for block in 0..<layout.blocks {
            var lanes = [Float](repeating: 0, count: 8)
            let start = block * HeadLayout.blockLength
            for id in start..<min(start + HeadLayout.blockLength, logits.count) {
                lanes[id % 8] += exponential((logits[id] - maximum) / request.temperature)
            }
            words[HeadLayout.blockSums + block] = lanes.dropFirst().reduce(lanes[0], +).bitPattern
        }
    }

    private static func process(
        _ request: HeadRequest, _ changes: Span<LogitChange>, _ logits: inout MutableSpan<Float>
    ) {
        for index in request.firstChange..<request.firstChange + request.penalized + request.biased {
            let (id, amount) = (Int(changes[index].id), changes[index].amount)
            let old = logits[id].isNaN ? -.infinity : logits[id]
            // An infinite logit stays one: it is an error.
            guard old < .infinity else { continue }
            let isPenalty = index < request.firstChange + request.penalized
            let new =
                isPenalty
                ? LogitChange.penalized(old, repetition: request.repetition, amount: amount) : old + amount
            logits[id] = min(new, .greatestFiniteMagnitude)
        }
    }

    /// e^x for x ≤ 0, by the formula that samplers use.
    private static func exponential(_ x: Float) -> Float {
        guard x >= -87 else { return 0 }
        let power = (x * 1.442_695_04).rounded(.toNearestOrEven)
        let r = x - power * 0.693_359_375 + power * 2.121_944_4e-4
        var polynomial = r * 1.987_569_15e-4 + 1.398_199_950_7e-3
        polynomial = polynomial * r + 8.333_451_907_3e-3
        polynomial = polynomial * r + 4.166_579_589_4e-2
        polynomial = polynomial * r + 1.666_666_545_9e-1
        polynomial = polynomial * r + 5.000_000_120_1e-1
        polynomial = polynomial * (r * r) + r + 1
        return polynomial * Float(bitPattern: UInt32(127 + Int32(power)) << 23)
    }
}
