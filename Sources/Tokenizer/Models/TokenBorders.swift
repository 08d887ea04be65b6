/// Where text can be cut without changing its tokens: between two characters that no token has next to each other, because
/// nothing merges across. What lies between such cuts is short and repeats, like the words of other vocabularies.
struct TokenBorders: Sendable {
    /// Stands for U+2581 as the second or the first of two characters; no UTF-8 has these bytes.
    private static let spaceStart = 0xFF
    private static let spaceEnd = 0xFE

    /// By the last byte of a character << 8 | the first byte of the next, whether a token has two such characters together.
    private var isJoined = [Bool](repeating: false, count: 1 << 16)

    init(_ vocabulary: Vocabulary) {
        for id in 0..<vocabulary.count {
            let key = vocabulary.keys[id]
            var last = -1
            var index = 0
            while index < key.count {
                let (first, end, length) = Self.character(at: index, in: key)
                if last >= 0 { isJoined[last << 8 | first] = true }
                last = end
                index += length
            }
        }
    }

    /// Calls `body` with the range of each piece of `text` in `range`.
    @inline(__always)
    func forEachPiece(_ text: Span<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        let isJoined = isJoined.span
        var start = range.lowerBound
        var index = start
        var last = -1
        while index < range.upperBound {
            let (first, end, length) = Self.character(at: index, in: text)
            if last >= 0, !isJoined[last << 8 | first] {
                body(start..<index)
                start = index
            }
            last = end
            index += length
        }
        if start < range.upperBound { body(start..<range.upperBound) }
    }

    /// The first and the last byte of a character, or what stands for them, and its length.
    @inline(__always)
    private static func character(at index: Int, in text: Span<UInt8>) -> (first: Int, last: Int, length: Int) {
        let first = text[index]
        if first < 0x80 { return (Int(first), Int(first), 1) }
        if EscapedSpace.isAt(index, in: text) { return (spaceStart, spaceEnd, 3) }
        let length = UTF8Bytes.scalar(in: text, at: index).length
        return (Int(first), Int(text[index + length - 1]), length)
    }
}
