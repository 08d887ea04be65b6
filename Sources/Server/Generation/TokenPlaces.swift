internal import Tokenizer

/// Finds where the tokens of a text stand in it, from the bytes that each token stands for.
enum TokenPlaces {
    /// - Parameter addedSpecial: Whether the tokens that mark the borders of a text were added to those of the text.
    /// - Returns: For each token its bytes in `text`, or `nil` for one that stands for nothing in it.
    static func ranges(
        of ids: [TokenID], in text: [UInt8], _ tokenizer: Tokenizer, addedSpecial: Bool
    ) -> [Range<Int>?] {
        let pieces = ids.map { id in
            var piece: [UInt8] = []
            tokenizer.vocabulary.appendPiece(id, skipSpecial: false, to: &piece)
            return piece
        }
        let first = addedSpecial && tokenizer.firstToken != nil && ids.first == tokenizer.firstToken ? 1 : 0
        var ranges = [Range<Int>?](repeating: nil, count: ids.count)
        var place = 0
        var index = first
        while index < ids.count {
            if let end = end(of: pieces[index], at: place, in: text, isFirst: index == first) {
                ranges[index] = place..<end
                place = end
            } else if index + 1 < ids.count,
                let next = find(pieces[index + 1], from: place, in: text), next > place
            {
                // A token that does not spell what it stands for, such as an unknown one, has what lies before the next.
                ranges[index] = place..<next
                place = next
            } else if index + 1 == ids.count, !addedSpecial || ids[index] != tokenizer.lastToken, place < text.count {
                ranges[index] = place..<text.count
                place = text.count
            }
            index += 1
        }
        return ranges
    }

    /// The end of a piece that stands at a place; at the beginning a space that the text lacks may be in front.
    private static func end(of piece: [UInt8], at place: Int, in text: [UInt8], isFirst: Bool) -> Int? {
        if text[place...].starts(with: piece) { return place + piece.count }
        guard isFirst, piece.first == UInt8(ascii: " "), text[place...].starts(with: piece.dropFirst()) else {
            return nil
        }
        return place + piece.count - 1
    }

    /// Where a piece stands next, not far from a place.
    private static func find(_ piece: [UInt8], from place: Int, in text: [UInt8]) -> Int? {
        let last = min(text.count - piece.count, place + 512)
        guard !piece.isEmpty, place <= last else { return nil }
        return (place...last).first { text[$0...].starts(with: piece) }
    }
}
