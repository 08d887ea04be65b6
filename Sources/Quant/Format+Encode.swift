extension Format {
    /// Whether ``encode(_:into:)`` works: for all formats but integers, binary64 and those of the IQ1, IQ2 and IQ3
    /// families, which are of use only with calibration data.
    package var isEncodable: Bool { encoder != nil }

    /// Encodes finite values as whole blocks.
    ///
    /// - Parameters:
    ///   - values: `n * blockLength` elements.
    ///   - bytes: exactly `n` blocks.
    /// - Throws: ``QuantError/notEncodable(_:)``; ``QuantError/nonFinite(index:)`` where a value is Inf or NaN;
    ///   ``QuantError/outOfRange(_:index:)`` where one needs a scale beyond the format's.
    package func encode(_ values: Span<Float>, into bytes: inout MutableSpan<UInt8>) throws(QuantError) {
        let blocks = checkedBlocks(bytes.count, values.count)
        guard let encoder else { throw .notEncodable(self) }
        if let index = unsafe Format.f32.firstNonFiniteBlock(in: values.bytes) { throw .nonFinite(index: index) }

        if groups == nil {
            encoder(values, &bytes)
        } else {
            bytes.update(repeating: 0)
            for block in 0..<blocks {
                let start = block * blockLength
                var out = bytes._mutatingExtracting(block * blockBytes..<(block + 1) * blockBytes)
                encoder(values.extracting(start..<start + blockLength), &out)
            }
        }
        if let block = unsafe firstNonFiniteBlock(in: bytes.bytes) {
            throw .outOfRange(self, index: block * blockLength)
        }
    }
}

/// Why values could not be encoded.
package enum QuantError: Error, Hashable, CustomStringConvertible {
    /// There is no encoder for the format.
    case notEncodable(Format)
    /// The value at an index is Inf or NaN.
    case nonFinite(index: Int)
    /// The block that starts at an index has values too large for the format.
    case outOfRange(Format, index: Int)

    package var description: String {
        switch self {
        case .notEncodable(let format): "\(format) cannot be written: it needs calibration data or is no weight format"
        case .nonFinite(let index): "value \(index) is not finite"
        case .outOfRange(let format, let index): "values from \(index) on are too large for \(format)"
        }
    }
}

extension MutableSpan where Element == UInt8 {
    /// Stores a binary16 at a byte offset.
    mutating func store(_ half: Float16, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: half.bitPattern)
        self[offset + 1] = UInt8(half.bitPattern >> 8)
    }

    /// Adds bits to the byte at an offset, whose bits there are zero.
    mutating func put(_ bits: Int, of offset: Int, shift: Int) {
        self[offset] |= UInt8(truncatingIfNeeded: bits << shift)
    }
}
