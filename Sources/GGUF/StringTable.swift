/// An array of byte strings in one contiguous buffer: a vocabulary has hundreds of thousands, too many for a `String` each.
///
/// The buffer is the array as it stands in the file: every string follows its length as a 64-bit integer. Reading one is thus
/// a single copy and a walk over the lengths.
package struct StringTable: Hashable, Sendable {
    /// Bytes of the length before each string.
    static let prefix = MemoryLayout<UInt64>.size

    let encoded: [UInt8]
    /// Where in `encoded` the bytes of each string start, and one entry for where a next string's would; empty for no strings.
    private let starts: [Int]

    /// - Parameters:
    ///   - encoded: Strings, each behind its length.
    ///   - starts: See the property; must agree with the lengths.
    init(encoded: [UInt8], starts: [Int]) {
        assert(starts.isEmpty ? encoded.isEmpty : starts.last == encoded.count + Self.prefix)
        self.encoded = encoded
        self.starts = starts
    }

    package init(_ strings: some Sequence<some Sequence<UInt8>>) {
        var encoded: [UInt8] = []
        var starts: [Int] = []
        for string in strings {
            let prefix = encoded.count
            encoded.append(contentsOf: repeatElement(0, count: Self.prefix))
            starts.append(encoded.count)
            encoded.append(contentsOf: string)
            var length = UInt64(encoded.count - prefix - Self.prefix)
            for byte in 0..<Self.prefix {
                encoded[prefix + byte] = UInt8(truncatingIfNeeded: length)
                length >>= 8
            }
        }
        if !starts.isEmpty { starts.append(encoded.count + Self.prefix) }
        self.init(encoded: encoded, starts: starts)
    }

    package init(_ strings: [String]) { self.init(strings.lazy.map { $0.utf8 }) }

    /// Bytes of all strings together.
    package var byteCount: Int { encoded.count - count * Self.prefix }

    /// String `index` with bytes that are not UTF-8 replaced by U+FFFD.
    package func string(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    /// Calls `body` with the bytes of string `index`, which are valid only during the call.
    package func withBytes<R, E: Error>(_ index: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try body(encoded.span.extracting(range(index)))
    }

    private func range(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] - Self.prefix }
}

extension StringTable: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { Swift.max(0, starts.count - 1) }
    package subscript(index: Int) -> ArraySlice<UInt8> { encoded[range(index)] }
}

extension StringTable: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: String...) { self.init(elements) }
}
