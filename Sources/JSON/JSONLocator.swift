extension JSON {
    /// A step from a value to one that it holds.
    package enum PathStep: Sendable, Equatable {
        case key(String)
        case index(Int)
    }

    /// Where a value stands in the text it was parsed from: found by reading the text again, so that parsing pays nothing for it.
    ///
    /// - Parameters:
    ///   - path: The steps to the value. Of a repeated key the last counts.
    ///   - text: Valid JSON.
    /// - Returns: The bytes of the value, or `nil` where there is none.
    package static func range(of path: [PathStep], in text: Span<UInt8>) -> Range<Int>? {
        var locator = JSONLocator(text: text)
        locator.skipWhitespace()
        for step in path {
            guard locator.enter(step) else { return nil }
        }
        let start = locator.offset
        locator.skipValue()
        return start..<locator.offset
    }

    /// The line of a place in a text, from 1, and the bytes of that line before the place.
    package static func position(of offset: Int, in text: Span<UInt8>) -> (line: Int, column: Int) {
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, text.count) where text[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        return (line, offset - lineStart)
    }
}

/// Moves over valid JSON without building values.
private struct JSONLocator: ~Escapable {
    private let text: Span<UInt8>
    private(set) var offset = 0

    @_lifetime(copy text)
    init(text: Span<UInt8>) { self.text = text }

    private var byte: UInt8? { offset < text.count ? text[offset] : nil }

    /// Moves from the start of a value to the start of one inside it.
    mutating func enter(_ step: JSON.PathStep) -> Bool {
        var found: Int?
        switch step {
        case .index(let wanted):
            guard byte == UInt8(ascii: "[") else { return false }
            var index = 0
            forEachItem { locator in
                if index == wanted { found = locator.offset }
                index += 1
            }
        case .key(let wanted):
            guard byte == UInt8(ascii: "{") else { return false }
            forEachItem { locator in
                let start = locator.offset
                locator.skipValue()
                let isWanted = (try? JSON.parse(locator.text.extracting(start..<locator.offset)))?.stringValue == wanted
                locator.skipWhitespace()
                locator.offset += 1  // the colon
                locator.skipWhitespace()
                if isWanted { found = locator.offset }
            }
        }
        guard let found else { return false }
        offset = found
        return true
    }

    /// Calls `body` at the start of each item of an array or object; it may move up to the start of the item's value.
    private mutating func forEachItem(_ body: (inout JSONLocator) -> Void) {
        offset += 1
        skipWhitespace()
        while let byte, byte != UInt8(ascii: "]"), byte != UInt8(ascii: "}") {
            body(&self)
            skipValue()
            skipWhitespace()
            if self.byte == UInt8(ascii: ",") { offset += 1 }
            skipWhitespace()
        }
    }

    mutating func skipValue() {
        var depth = 0
        while let byte {
            switch byte {
            case UInt8(ascii: "\""): skipString()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                offset += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                guard depth > 0 else { return }
                depth -= 1
                offset += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { return }
                offset += 1
                continue
            case 0x20, 0x0A, 0x0D, 0x09:
                guard depth > 0 else { return }
                offset += 1
                continue
            default: skipWord()
            }
            if depth == 0 { return }
        }
    }

    private mutating func skipString() {
        offset += 1
        while let byte {
            offset += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    /// A number, `true`, `false` or `null`.
    private mutating func skipWord() {
        let ends: [UInt8] = [0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")]
        while let byte, !ends.contains(byte) { offset += 1 }
    }

    mutating func skipWhitespace() {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }
}
