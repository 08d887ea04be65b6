/// Looks for stop strings in text that arrives in pieces, and holds back what may turn out to be the start of one.
///
/// The match that ends first wins, and of those that end together the longest. Matching is on UTF-8 bytes, with one
/// Knuth-Morris-Pratt automaton per stop string, so a stop string is found anywhere: inside a piece or across many. Text is only cut
/// where a stop string starts or ends, so never inside a character that arrived whole.
package struct StopMatcher: Sendable {
    /// What happens to the stop string itself.
    package enum Boundary: Sendable {
        /// The text ends with the stop string (TGI's native routes); nothing needs to be held back.
        case included
        /// The text ends before the stop string (OpenAI's routes).
        case excluded
    }

    /// Text that may be shown.
    package struct Emission: Sendable, Equatable {
        /// Everything, special tokens included.
        package var text: String
        /// Without special tokens.
        package var visible: String

        package init(text: String, visible: String) {
            self.text = text
            self.visible = visible
        }

        package static let nothing = Emission(text: "", visible: "")
    }

    /// Whether a stop string has been found; from then on every piece is dropped.
    package private(set) var isStopped = false
    private let boundary: Boundary
    private var automata: [PrefixAutomaton]
    /// Bytes not shown yet.
    private var pending: [UInt8] = []
    /// For each pending byte, whether it is text of a special token.
    private var pendingIsSpecial: [Bool] = []

    /// Empty stop strings are ignored.
    package init(_ stopStrings: [String], boundary: Boundary) {
        self.boundary = boundary
        automata = stopStrings.filter { !$0.isEmpty }.map { PrefixAutomaton(Array($0.utf8)) }
    }

    /// Takes the text of a token, valid UTF-8 as a detokenizer yields it, and returns what may be shown by now.
    package mutating func append(_ piece: String, isSpecial: Bool = false) -> Emission {
        guard !isStopped else { return .nothing }
        if automata.isEmpty { return Emission(text: piece, visible: isSpecial ? "" : piece) }
        for byte in piece.utf8 {
            pending.append(byte)
            pendingIsSpecial.append(isSpecial)
            if let match = step(byte) {
                isStopped = true
                if boundary == .excluded {
                    pending.removeLast(match)
                    pendingIsSpecial.removeLast(match)
                }
                return release(pending.count)
            }
        }
        let held = boundary == .excluded ? automata.reduce(0) { max($0, $1.matched) } : 0
        return release(pending.count - held)
    }

    /// The text still held back: to be called when the sequence ends for another reason.
    package mutating func finish() -> Emission { release(pending.count) }

    /// Moves all automata on; the length of the longest stop string that ends with this byte.
    private mutating func step(_ byte: UInt8) -> Int? {
        var longest: Int?
        for index in automata.indices where automata[index].step(byte) {
            longest = max(longest ?? 0, automata[index].length)
        }
        return longest
    }

    private mutating func release(_ count: Int) -> Emission {
        guard count > 0 else { return .nothing }
        let text = String(decoding: pending[..<count], as: UTF8.self)
        var visible = text
        if pendingIsSpecial[..<count].contains(true) {
            let bytes = zip(pending, pendingIsSpecial).prefix(count).filter { !$1 }.map(\.0)
            visible = String(decoding: bytes, as: UTF8.self)
        }
        pending.removeFirst(count)
        pendingIsSpecial.removeFirst(count)
        return Emission(text: text, visible: visible)
    }
}

/// The Knuth-Morris-Pratt automaton of one pattern.
private struct PrefixAutomaton: Sendable {
    /// Length of the longest prefix of the pattern that the input ends with.
    private(set) var matched = 0
    private let pattern: [UInt8]
    /// For each length of a prefix, the length of its longest proper border.
    private let borders: [Int]

    var length: Int { pattern.count }

    /// - Parameter pattern: not empty.
    init(_ pattern: [UInt8]) {
        self.pattern = pattern
        var borders = [0, 0]
        for end in pattern.indices.dropFirst() {
            var border = borders[end]
            while border > 0, pattern[border] != pattern[end] { border = borders[border] }
            borders.append(pattern[border] == pattern[end] ? border + 1 : 0)
        }
        self.borders = borders
    }

    /// Whether the pattern ends with this byte.
    mutating func step(_ byte: UInt8) -> Bool {
        if matched == length { matched = borders[matched] }
        while matched > 0, pattern[matched] != byte { matched = borders[matched] }
        if pattern[matched] == byte { matched += 1 }
        return matched == length
    }
}
