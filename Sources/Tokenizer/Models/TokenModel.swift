/// Turns text without special tokens into tokens.
protocol TokenModel: Sendable {
    /// - Parameter isFirst: Whether the text begins the input or follows a special token.
    func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout [TokenID])
}

/// U+2581, which many vocabularies have for a space.
enum EscapedSpace {
    static let bytes: [UInt8] = [0xE2, 0x96, 0x81]

    /// `text` with every space replaced.
    static func escape(_ text: Span<UInt8>, prefix: Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 2 + 3)
        if prefix { result += bytes }
        for index in text.indices {
            if text[index] == UInt8(ascii: " ") { result += bytes } else { result.append(text[index]) }
        }
        return result
    }

    /// Appends `text` with every U+2581 replaced by a space.
    static func unescape(_ text: Span<UInt8>, into result: inout [UInt8]) {
        var index = 0
        while index < text.count {
            if isAt(index, in: text) {
                result.append(UInt8(ascii: " "))
                index += 3
            } else {
                result.append(text[index])
                index += 1
            }
        }
    }

    @inline(__always)
    static func isAt(_ index: Int, in text: Span<UInt8>) -> Bool {
        text[index] == 0xE2 && index + 2 < text.count && text[index + 1] == 0x96 && text[index + 2] == 0x81
    }
}
