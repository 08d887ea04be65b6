/// Finds special and user-defined tokens in a text before it is split into words.
struct Partition: Sendable {
    enum Fragment: Hashable, Sendable {
        case text(Range<Int>)
        case token(TokenID)
    }

    private struct Entry: Sendable {
        var id: TokenID
        var bytes: [UInt8]
        var attributes: TokenAttributes
    }

    /// Longest first, then by id: the order in which tokens claim text.
    private let entries: [Entry]
    /// Positions in `entries` by text.
    private let all: ByteTrie
    /// The same without the tokens that are only found where special tokens are asked for.
    private let userDefined: ByteTrie

    init(_ vocabulary: Vocabulary) {
        var entries: [Entry] = []
        for id in 0..<vocabulary.count {
            let attributes = vocabulary.attributes[id]
            if attributes.isDisjoint(with: [.control, .userDefined, .unknown]) { continue }
            let bytes = vocabulary.withText(TokenID(id)) { text in text.indices.map { text[$0] } }
            if !bytes.isEmpty { entries.append(Entry(id: TokenID(id), bytes: bytes, attributes: attributes)) }
        }
        entries.sort { ($0.bytes.count, $1.id) > ($1.bytes.count, $0.id) }
        var all = ByteTrie()
        var userDefined = ByteTrie()
        for (position, entry) in entries.enumerated() {
            all.insert(entry.bytes.span, Int32(position))
            if !entry.attributes.isSpecial { userDefined.insert(entry.bytes.span, Int32(position)) }
        }
        self.entries = entries
        self.all = all
        self.userDefined = userDefined
    }

    /// Cuts `text` at the tokens in it. A longer token claims its text before a shorter one, wherever both stand.
    func fragments(_ text: Span<UInt8>, parseSpecial: Bool) -> [Fragment] {
        if text.isEmpty { return [] }
        var fragments = [Fragment.text(0..<text.count)]
        for position in occurring(text, parseSpecial ? all : userDefined) {
            fragments = fragments.flatMap { fragment in
                guard case .text(let range) = fragment else { return [fragment] }
                return cut(text, range, entries[position])
            }
        }
        return fragments
    }

    /// The entries that stand somewhere in `text`, in order.
    private func occurring(_ text: Span<UInt8>, _ trie: ByteTrie) -> [Int] {
        if trie.isEmpty { return [] }
        var found: Set<Int32> = []
        for start in text.indices {
            var node = ByteTrie.root
            var index = start
            while index < text.count, let child = trie.child(of: node, text[index]) {
                node = child
                index += 1
                if let value = trie.value(node) { found.insert(value) }
            }
        }
        return found.map { Int($0) }.sorted()
    }

    private func cut(_ text: Span<UInt8>, _ range: Range<Int>, _ entry: Entry) -> [Fragment] {
        let token = entry.bytes.span
        var fragments: [Fragment] = []
        var start = range.lowerBound
        var index = start
        while index + token.count <= range.upperBound {
            guard text[index] == token[0], areEqual(text.extracting(index..<index + token.count), token) else {
                index += 1
                continue
            }
            var end = index
            if entry.attributes.contains(.stripsLeft) { while end > start, Self.isSpace(text[end - 1]) { end -= 1 } }
            if end > start { fragments.append(.text(start..<end)) }
            fragments.append(.token(entry.id))
            index += token.count
            if entry.attributes.contains(.stripsRight) {
                while index < range.upperBound, Self.isSpace(text[index]) { index += 1 }
            }
            start = index
        }
        if start < range.upperBound { fragments.append(.text(start..<range.upperBound)) }
        return fragments
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
