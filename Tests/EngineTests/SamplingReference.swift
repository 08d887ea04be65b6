import Engine
import Foundation

/// The sampling chain written for reading: full sorts, doubles, the formulas as published.
struct SamplingReference {
    var parameters: SamplingParameters
    var prompt: [Int32] = []
    var generated: [Int32] = []

    /// The log-probability of every token that can be chosen.
    func logprobs(_ logits: [Float]) -> [Int: Double] {
        var scores = penalized(logits)
        if !parameters.isGreedy {
            if let temperature = parameters.temperature { scores = scores.map { $0 / Double(temperature) } }
            topK(&scores)
            topP(&scores)
            typicalP(&scores)
            minP(&scores)
        }
        let logprobs = Self.logSoftmax(scores)
        return Dictionary(uniqueKeysWithValues: logprobs.enumerated().filter { $1 > -.infinity }.map { ($0, $1) })
    }

    func penalized(_ logits: [Float]) -> [Double] {
        var scores = logits.map { $0.isNaN ? -.infinity : Double($0) }
        let all = prompt + generated
        for id in Set(all).map(Int.init) where scores.indices.contains(id) {
            if let penalty = parameters.repetitionPenalty.map(Double.init) {
                scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty
            }
            let count = Double(all.count { $0 == Int32(id) })
            let countGenerated = Double(generated.count { $0 == Int32(id) })
            if let penalty = parameters.frequencyPenalty.map(Double.init) {
                scores[id] -=
                    penalty * (parameters.frequencyForm == .relative ? count / Double(all.count) : countGenerated)
            }
            if let penalty = parameters.presencePenalty, countGenerated > 0 { scores[id] -= Double(penalty) }
        }
        return scores
    }

    private func topK(_ scores: inout [Double]) {
        guard let k = parameters.topK, k < scores.count else { return }
        let threshold = scores.sorted(by: >)[k - 1]
        scores = scores.map { $0 < threshold ? -.infinity : $0 }
    }

    private func topP(_ scores: inout [Double]) {
        guard let p = parameters.topP else { return }
        let logprobs = Self.logSoftmax(scores)
        var mass = 0.0
        for id in scores.indices.sorted(by: { (scores[$1], $0) < (scores[$0], $1) }) {
            if mass >= Double(p) { scores[id] = -.infinity }
            mass += exp(logprobs[id])
        }
    }

    private func typicalP(_ scores: inout [Double]) {
        guard let p = parameters.typicalP else { return }
        let logprobs = Self.logSoftmax(scores)
        let entropy = -logprobs.filter { $0 > -.infinity }.reduce(0) { $0 + exp($1) * $1 }
        let distances = logprobs.map { abs(-$0 - entropy) }
        var mass = 0.0
        var last = -1.0
        for id in scores.indices.sorted(by: { distances[$0] < distances[$1] }) {
            // Equal scores are equally far whatever the rounding.
            if mass >= Double(p), distances[id] > last + 1e-9 {
                scores[id] = -.infinity
            } else {
                last = max(last, distances[id])
            }
            if mass < Double(p) { mass += exp(logprobs[id]) }
        }
    }

    private func minP(_ scores: inout [Double]) {
        guard let share = parameters.minP else { return }
        let logprobs = Self.logSoftmax(scores)
        let least = Double(share) * exp(logprobs.max() ?? 0)
        for id in scores.indices where exp(logprobs[id]) < least * (1 - 1e-6) { scores[id] = -.infinity }
    }

    static func logSoftmax(_ scores: [Double]) -> [Double] {
        let maximum = scores.max() ?? 0
        let total = scores.reduce(0) { $0 + exp($1 - maximum) }
        return scores.map { $0 - maximum - log(total) }
    }
}

extension SamplingParameters {
    /// Parameters with some of them set.
    static func with(_ change: (inout SamplingParameters) -> Void) -> SamplingParameters {
        var parameters = SamplingParameters()
        change(&parameters)
        return parameters
    }
}

extension Sampler {
    /// A step on logits in an array.
    mutating func choose(
        _ logits: [Float],
        position: Int,
        topCount: Int = 0,
        wantsLogprob: Bool = true,
        using candidates: inout Candidates
    ) throws(SamplingError) -> SampledToken {
        try choose(
            logits: logits.span,
            position: position,
            topCount: topCount,
            wantsLogprob: wantsLogprob,
            using: &candidates)
    }
}
