/// How often each token has occurred in one sequence, for the penalties.
struct TokenHistory: Sendable {
    /// Tokens of prompt and output, each once, in order of first appearance.
    private(set) var distinct: [Int32] = []
    /// Tokens of prompt and output.
    private(set) var length = 0
    private var total: [Int32]
    private var generated: [Int32]

    init(prompt: [Int32], vocabulary: Int) {
        total = Array(repeating: 0, count: vocabulary)
        generated = total
        // Room for every token: recording one never allocates.
        distinct.reserveCapacity(vocabulary)
        for id in prompt { count(id) }
    }

    /// Takes note of a generated token.
    mutating func record(_ id: Int32) {
        count(id)
        if generated.indices.contains(Int(id)) { generated[Int(id)] += 1 }
    }

    /// Takes back the latest ``record(_:)``.
    mutating func forget(_ id: Int32) {
        length -= 1
        guard total.indices.contains(Int(id)) else { return }
        total[Int(id)] -= 1
        generated[Int(id)] -= 1
        if total[Int(id)] == 0 { distinct.removeLast() }
    }

    /// Occurrences in prompt and output.
    func occurrences(_ id: Int32) -> Int { Int(total[Int(id)]) }

    /// Occurrences in the output alone.
    func generations(_ id: Int32) -> Int { Int(generated[Int(id)]) }

    private mutating func count(_ id: Int32) {
        length += 1
        guard total.indices.contains(Int(id)) else { return }
        if total[Int(id)] == 0 { distinct.append(id) }
        total[Int(id)] += 1
    }
}
