import Glibc

/// Running sums of the negative log-likelihood of tokens, and what llama.cpp's tool prints of them.
struct PerplexityScore {
    private(set) var count = 0
    private var sum = 0.0
    private var sumOfSquares = 0.0

    /// Scores `token` as what follows a position with these logits.
    mutating func add(_ token: Int, logits: Span<Float>) {
        var maximum = -Float.infinity
        for index in logits.indices where logits[index] > maximum { maximum = logits[index] }
        var total = 0.0
        for index in logits.indices { total += Double(exp(logits[index] - maximum)) }
        let loss = log(total) - Double(logits[token] - maximum)
        count += 1
        sum += loss
        sumOfSquares += loss * loss
    }

    /// `e` to the mean negative log-likelihood.
    var perplexity: Double { exp(sum / Double(count)) }

    /// Standard error of the mean, carried over to the perplexity; `nil` below two tokens or when rounding made it imaginary.
    var error: Double? {
        guard count > 1 else { return nil }
        let mean = sum / Double(count)
        let variance = sumOfSquares / Double(count) - mean * mean
        return variance > 0 ? (variance / Double(count - 1)).squareRoot() * perplexity : nil
    }
}
