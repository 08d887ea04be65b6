/// BERT's WordPiece: text is cleaned, lower-cased and split at spaces and punctuation; each word is cut into the longest
/// tokens from the left, or is unknown as a whole. Tokens that begin a word carry U+2581 in front.
struct WordPieceModel: TokenModel {
    private let tokens: ByteTrie
    private let unknown: TokenID?
    private let lowercases: Bool
    private let stripsAccents: Bool

    init(_ vocabulary: Vocabulary, unknown: TokenID?, lowercases: Bool, stripsAccents: Bool) {
        var tokens = ByteTrie()
        for id in 0..<vocabulary.count { tokens.insert(vocabulary.keys[id], Int32(id)) }
        self.tokens = tokens
        self.unknown = unknown
        self.lowercases = lowercases
        self.stripsAccents = stripsAccents
    }

    func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout [TokenID]) {
        var word: [UInt8] = []
        var index = 0
        while index < text.count {
            let (scalar, length) = UTF8Bytes.scalar(in: text, at: index)
            index += length
            if Self.isDropped(scalar) {
                continue
            } else if WhiteSpace.contains(scalar) {
                flush(&word, into: &output)
            } else if Self.isIdeograph(scalar) {
                flush(&word, into: &output)
                append(normalized(scalar), to: &word)
                flush(&word, into: &output)
            } else {
                for part in normalized(scalar) {
                    let category = CategorySet(GeneralCategory(of: part))
                    let isPunctuation =
                        !category.isDisjoint(with: .punctuation)
                        || part < 0x7F && !category.isDisjoint(with: .symbol)
                    if isPunctuation { flush(&word, into: &output) }
                    UTF8Bytes.append(part, to: &word)
                    if isPunctuation { flush(&word, into: &output) }
                }
            }
        }
        flush(&word, into: &output)
    }

    /// Control characters other than line breaks and tabs, and what stands for broken text.
    private static func isDropped(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E: return false
        case UTF8Bytes.replacement: return true
        default:
            let dropped = CategorySet([CategorySet(.cc), CategorySet(.cf), CategorySet(.co)])
            return !dropped.isDisjoint(with: CategorySet(GeneralCategory(of: scalar)))
        }
    }

    private func append(_ scalars: [UInt32], to word: inout [UInt8]) {
        for scalar in scalars { UTF8Bytes.append(scalar, to: &word) }
    }

    /// Without accents and in lower case, as the vocabulary wants.
    private func normalized(_ scalar: UInt32) -> [UInt32] {
        if scalar < 0x80 { return [lowercases && (0x41...0x5A).contains(scalar) ? scalar | 0x20 : scalar] }
        let bases = stripsAccents ? Accents.strip(scalar) : [scalar]
        guard lowercases else { return bases }
        return bases.flatMap { base in
            Unicode.Scalar(base)!.properties.lowercaseMapping.unicodeScalars.map { $0.value }
        }
    }

    private func flush(_ word: inout [UInt8], into output: inout [TokenID]) {
        guard !word.isEmpty else { return }
        let marked = EscapedSpace.bytes + word
        let start = output.count
        var index = 0
        while index < marked.count {
            guard let match = tokens.longestMatch(in: marked.span, at: index) else {
                output.removeLast(output.count - start)
                break
            }
            output.append(match.value)
            index += match.length
        }
        if output.count == start, let unknown { output.append(unknown) }
        word.removeAll(keepingCapacity: true)
    }

    /// Ideographs, each a word of its own: the blocks that BERT lists.
    private static func isIdeograph(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}

/// Canonical decomposition without nonspacing marks.
enum Accents {
    static func strip(_ scalar: UInt32) -> [UInt32] {
        if (0xAC00...0xD7A3).contains(scalar) { return syllable(scalar - 0xAC00) }
        let bases = UnicodeData.bases
        var low = 0
        var high = bases.count / 2
        while low < high {
            let middle = (low + high) / 2
            if bases[2 * middle] < scalar { low = middle + 1 } else { high = middle }
        }
        var result: [UInt32] = []
        while 2 * low < bases.count, bases[2 * low] == scalar {
            result.append(bases[2 * low + 1])
            low += 1
        }
        if !result.isEmpty { return result }
        return GeneralCategory(of: scalar) == .mn ? [] : [scalar]
    }

    /// The letters of a Hangul syllable (Unicode, section 3.12).
    private static func syllable(_ index: UInt32) -> [UInt32] {
        let letters = [0x1100 + index / 588, 0x1161 + index % 588 / 28]
        return index % 28 == 0 ? letters : letters + [0x11A7 + index % 28]
    }
}
