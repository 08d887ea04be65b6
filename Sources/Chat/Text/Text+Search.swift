// Searching, splitting and stripping. A needle that is valid UTF-8 is found only at code point boundaries, so all of this
// works on bytes.

extension Text {
    /// The byte offset of the first occurrence of `needle` that begins at or after `start`.
    func find(_ needle: Text, from start: Int = 0) -> Int? {
        find(needle.bytes, from: start)
    }

    /// Knuth–Morris–Pratt: linear also for hostile input.
    private func find(_ needle: [UInt8], from start: Int) -> Int? {
        guard let first = needle.first else { return start <= bytes.count ? start : nil }
        guard bytes.count - start >= needle.count else { return nil }
        if needle.count == 1 { return bytes[start...].firstIndex(of: first) }
        let fallback = Self.fallbacks(needle)
        var matched = 0
        var position = start
        while position < bytes.count {
            if matched == 0, bytes[position] != first {
                position += 1
                continue
            }
            while matched > 0, bytes[position] != needle[matched] { matched = fallback[matched - 1] }
            if bytes[position] == needle[matched] { matched += 1 }
            position += 1
            if matched == needle.count { return position - matched }
        }
        return nil
    }

    /// For each prefix of the needle, the length of the longest proper prefix that is also its suffix.
    private static func fallbacks(_ needle: [UInt8]) -> [Int] {
        var table = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in needle.indices.dropFirst() {
            while length > 0, needle[index] != needle[length] { length = table[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            table[index] = length
        }
        return table
    }

    /// The byte offset of the last occurrence of `needle`.
    func findLast(_ needle: Text) -> Int? {
        let reversed = Text(bytes: bytes.reversed())
        guard let offset = reversed.find(Array(needle.bytes.reversed()), from: 0) else { return nil }
        return bytes.count - offset - needle.bytes.count
    }

    func hasPrefix(_ prefix: Text) -> Bool { bytes.starts(with: prefix.bytes) }
    func hasSuffix(_ suffix: Text) -> Bool {
        bytes.count >= suffix.bytes.count && bytes[(bytes.count - suffix.bytes.count)...].elementsEqual(suffix.bytes)
    }

    /// The number of occurrences that do not overlap.
    func occurrences(of needle: Text) -> Int {
        if needle.isEmpty { return count + 1 }
        var result = 0
        var start = 0
        while let offset = find(needle, from: start) {
            result += 1
            start = offset + needle.bytes.count
        }
        return result
    }

    /// At most `limit` occurrences replaced, all when it is negative. An empty `old` is found before each code point and at the
    /// end.
    func replacing(_ old: Text, with new: Text, limit: Int = -1) -> Text {
        var result: [UInt8] = []
        var remaining = limit < 0 ? Int.max : limit
        if old.isEmpty {
            for character in characters {
                if remaining > 0 {
                    result += new.bytes
                    remaining -= 1
                }
                result += character.bytes
            }
            if remaining > 0 { result += new.bytes }
            return Text(bytes: result, isMarkup: isMarkup)
        }
        var start = 0
        while remaining > 0, let offset = find(old, from: start) {
            result += bytes[start..<offset]
            result += new.bytes
            start = offset + old.bytes.count
            remaining -= 1
        }
        if start == 0 { return self }
        result += bytes[start...]
        return Text(bytes: result, isMarkup: isMarkup)
    }
}

// MARK: - Splitting

extension Text {
    /// Pieces between occurrences of a separator that is not empty; at most `limit` splits, all when it is negative.
    func split(_ separator: Text, limit: Int) -> [Text] {
        var pieces: [Text] = []
        var start = 0
        while limit < 0 || pieces.count < limit, let offset = find(separator, from: start) {
            pieces.append(Text(bytes: bytes[start..<offset], isMarkup: isMarkup))
            start = offset + separator.bytes.count
        }
        pieces.append(Text(bytes: bytes[start...], isMarkup: isMarkup))
        return pieces
    }

    /// As ``split(_:limit:)``, but splits from the end.
    func splitFromEnd(_ separator: Text, limit: Int) -> [Text] {
        let mirrored = Text(bytes: bytes.reversed(), isMarkup: isMarkup)
        let pieces = mirrored.split(Text(bytes: separator.bytes.reversed()), limit: limit)
        return pieces.reversed().map { Text(bytes: $0.bytes.reversed(), isMarkup: isMarkup) }
    }

    /// Pieces between runs of whitespace, without empty ones; after `limit` splits the rest is one piece.
    func splitAtWhitespace(limit: Int) -> [Text] {
        var pieces: [Text] = []
        var offset = 0
        while true {
            offset = skippingWhitespace(from: offset)
            guard offset < bytes.count else { return pieces }
            if limit >= 0, pieces.count == limit {
                pieces.append(Text(bytes: bytes[offset...], isMarkup: isMarkup))
                return pieces
            }
            let start = offset
            while offset < bytes.count {
                let (scalar, length) = bytes.scalar(at: offset)
                if scalar.isPythonWhitespace { break }
                offset += length
            }
            pieces.append(Text(bytes: bytes[start..<offset], isMarkup: isMarkup))
        }
    }

    /// As ``splitAtWhitespace(limit:)``, but splits from the end.
    func splitAtWhitespaceFromEnd(limit: Int) -> [Text] {
        guard limit >= 0 else { return splitAtWhitespace(limit: limit) }
        var pieces: [Text] = []
        var rest = strippedAtEnd { $0.isPythonWhitespace }
        while !rest.isEmpty {
            if pieces.count == limit {
                pieces.append(rest)
                break
            }
            let head = rest.strippedAtEnd { !$0.isPythonWhitespace }
            pieces.append(Text(bytes: rest.bytes[head.bytes.count...], isMarkup: isMarkup))
            rest = head.strippedAtEnd { $0.isPythonWhitespace }
        }
        return pieces.reversed()
    }

    /// Lines without (or with) their ends, at every boundary that Python's `splitlines` knows.
    func lines(keepingEnds: Bool = false) -> [Text] {
        var lines: [Text] = []
        var start = 0
        var offset = 0
        while offset < bytes.count {
            let (scalar, length) = bytes.scalar(at: offset)
            var end = offset + length
            if scalar.isLineBoundary {
                if scalar == "\r", end < bytes.count, bytes[end] == UInt8(ascii: "\n") { end += 1 }
                lines.append(Text(bytes: bytes[start..<(keepingEnds ? end : offset)], isMarkup: isMarkup))
                start = end
            }
            offset = end
        }
        if start < bytes.count { lines.append(Text(bytes: bytes[start...], isMarkup: isMarkup)) }
        return lines
    }
}

// MARK: - Stripping

extension Text {
    /// The byte offset of the first code point at or after `offset` that is no whitespace.
    func skippingWhitespace(from offset: Int) -> Int {
        var offset = offset
        while offset < bytes.count {
            let (scalar, length) = bytes.scalar(at: offset)
            guard scalar.isPythonWhitespace else { break }
            offset += length
        }
        return offset
    }

    func strippedAtStart(_ strips: (Unicode.Scalar) -> Bool) -> Text {
        var offset = 0
        while offset < bytes.count {
            let (scalar, length) = bytes.scalar(at: offset)
            guard strips(scalar) else { break }
            offset += length
        }
        return offset == 0 ? self : Text(bytes: bytes[offset...], isMarkup: isMarkup)
    }

    func strippedAtEnd(_ strips: (Unicode.Scalar) -> Bool) -> Text {
        var end = bytes.count
        while end > 0 {
            var start = end - 1
            while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
            guard strips(bytes.scalar(at: start).0) else { break }
            end = start
        }
        return end == bytes.count ? self : Text(bytes: bytes[..<end], isMarkup: isMarkup)
    }

    func stripped(_ strips: (Unicode.Scalar) -> Bool = { $0.isPythonWhitespace }) -> Text {
        strippedAtStart(strips).strippedAtEnd(strips)
    }
}
