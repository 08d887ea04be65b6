// The notations that text is written in: Python's `repr`, HTML.

extension Text {
    /// `repr(str)`: in single quotes unless only those occur in it, with what is not printable escaped.
    var quoted: String {
        let quote: UInt8 = bytes.contains(UInt8(ascii: "'")) && !bytes.contains(UInt8(ascii: "\"")) ? 0x22 : 0x27
        var result: [UInt8] = [quote]
        for scalar in scalars {
            switch scalar {
            case "\n": result.append("\\n")
            case "\r": result.append("\\r")
            case "\t": result.append("\\t")
            case "\\": result.append("\\\\")
            case Unicode.Scalar(quote): result.append(contentsOf: [UInt8(ascii: "\\"), quote])
            default:
                if scalar.isPrintable {
                    result.append(scalar)
                } else if scalar.value < 0x100 {
                    result.append("\\x" + scalar.value.hex(2))
                } else if scalar.value < 0x10000 {
                    result.append("\\u" + scalar.value.hex(4))
                } else {
                    result.append("\\U" + scalar.value.hex(8))
                }
            }
        }
        result.append(quote)
        let text = String(decoding: result, as: UTF8.self)
        return isMarkup ? "Markup(\(text))" : text
    }

    /// `markupsafe.escape`: markup stays what it is.
    var escaped: Text {
        if isMarkup { return self }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "&"): result.append("&amp;")
            case UInt8(ascii: "<"): result.append("&lt;")
            case UInt8(ascii: ">"): result.append("&gt;")
            case UInt8(ascii: "'"): result.append("&#39;")
            case UInt8(ascii: "\""): result.append("&#34;")
            default: result.append(byte)
            }
        }
        return Text(bytes: result, isMarkup: true)
    }
}

extension FixedWidthInteger {
    /// Lower-case hexadecimal digits, with leading zeros up to `width`.
    func hex(_ width: Int) -> String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
