internal import Tokenizer

/// Guesses the next tokens of a sequence: those that followed the last time that its last few tokens occurred in it.
///
/// A. Saxena: Prompt lookup decoding, 2023. A wrong guess costs the rows that verify it, so the number of guesses follows their success.
struct Drafter {
    /// Tokens that have to agree.
    private static let shortest = 2
    private static let longest = 4

    private let limit: Int
    private var count: Int

    /// - Parameter limit: Tokens to draft at most; 0 for none.
    init(limit: Int) {
        self.limit = limit
        count = limit
    }

    /// - Parameters:
    ///   - limit: Tokens that are of use at most.
    ///   - drafts: Replaced.
    func draft(after tokens: [TokenID], limit: Int, into drafts: inout [TokenID]) {
        drafts.removeAll(keepingCapacity: true)
        let wanted = min(count, limit)
        guard wanted > 0, let start = continuation(of: tokens) else { return }
        drafts.append(contentsOf: tokens[start..<min(start + wanted, tokens.count)])
    }

    /// Takes note of how many drafts were right.
    mutating func learn(right: Int, of drafted: Int) {
        count = right == drafted ? min(limit, max(count, drafted) * 2) : max(1, right + 1)
        count = min(count, limit)
    }

    /// The place behind the latest of the earlier occurrences that agree with the end in most tokens.
    private func continuation(of tokens: [TokenID]) -> Int? {
        let tokens = tokens.span
        let end = tokens.count
        guard end > Self.shortest else { return nil }
        var best = (length: Self.shortest - 1, place: 0)
        for place in stride(from: end - 1, through: Self.shortest, by: -1)
        where tokens[place - 1] == tokens[end - 1] && tokens[place - 2] == tokens[end - 2] {
            var length = Self.shortest
            while length < min(Self.longest, place), tokens[place - 1 - length] == tokens[end - 1 - length] {
                length += 1
            }
            if length > best.length { best = (length, place) }
            if length == Self.longest { break }
        }
        return best.length >= Self.shortest ? best.place : nil
    }
}
