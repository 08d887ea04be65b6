/// GPT-2's spelling of bytes: each byte is a printable scalar, itself if it is printable Latin-1, else one from U+0100 on.
enum ByteLevel {
    /// The byte that a scalar stands for, by scalar; -1 for none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<256 {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: bytes[byte] = Int16(byte)
            default:
                bytes[next] = Int16(byte)
                next += 1
            }
        }
        return bytes
    }()

    /// Appends the bytes that `text` spells.
    /// - Returns: false, with nothing appended, if `text` holds something that spells no byte.
    static func decode(_ text: Span<UInt8>, into result: inout [UInt8]) -> Bool {
        let bytes = bytes.span
        let start = result.count
        var index = 0
        while index < text.count {
            let first = text[index]
            var scalar = Int(first)
            if first >= 0x80 {
                // The spellings that are not ASCII have two bytes each.
                guard first & 0xE0 == 0xC0, index + 1 < text.count else { break }
                scalar = Int(first & 0x1F) << 6 | Int(text[index + 1] & 0x3F)
                index += 1
            }
            guard scalar < bytes.count, bytes[scalar] >= 0 else { break }
            result.append(UInt8(truncatingIfNeeded: bytes[scalar]))
            index += 1
        }
        if index == text.count { return true }
        result.removeLast(result.count - start)
        return false
    }
}
