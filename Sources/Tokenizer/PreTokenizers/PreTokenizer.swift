/// How a byte-pair vocabulary wants text split into words before it merges: one value of `tokenizer.ggml.pre`, or several that
/// mean the same.
package struct PreTokenizer: Sendable {
    /// One pass over the pieces that the pass before left. Matches become pieces, and so does what lies between them.
    package enum Step: Sendable, Hashable {
        case pattern(String)
        /// Runs of the digits that match the set, in groups of three counted from the right: 1|234|567.
        /// - atWordEnd: only runs that end at a word boundary.
        case digitGroups(String, atWordEnd: Bool)
        /// Splits a run of digits before each group of three counted from the right, and nowhere else.
        case digitGroupStarts(String)
    }

    package let names: [String]
    package let steps: [Step]
    /// A word that is a token as it stands is not built from merges.
    package var ignoresMerges = false
    /// Where the metadata does not say.
    package var addsBOS = false
    /// Whether the reference removes the spaces before punctuation from a finished text.
    package var cleansUpSpaces = true
    /// Merges work on UTF-8 with U+2581 for a space, and bytes without a token are spelled <0xNN>; otherwise every byte has a
    /// printable stand-in (`ByteLevel`).
    package var escapesSpaces = false
    /// A word of newlines that is a token is not built from merges.
    package var keepsNewlines = false

    init(_ names: String..., steps: [Step], _ adjust: (inout PreTokenizer) -> Void = { _ in }) {
        self.names = names
        self.steps = steps
        adjust(&self)
    }

    init(_ names: String..., patterns: String..., adjust: (inout PreTokenizer) -> Void = { _ in }) {
        self.names = names
        steps = patterns.map { .pattern($0) }
        adjust(&self)
    }

    package static func named(_ name: String) -> PreTokenizer? { all.first { $0.names.contains(name) } }
}
