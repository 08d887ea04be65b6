import Glibc

/// Floats in the notations of C, which are those of Python.
enum DecimalText {
    /// `%.{precision}f`
    static func fixed(_ value: Double, _ precision: Int) -> String { format(value, "f", precision, alternate: false) }

    /// - Parameters:
    ///   - conversion: One of `eEfFgG`.
    ///   - precision: Digits, at most 1,000.
    ///   - alternate: Keeps the point, and with `g` the zeros behind it.
    static func format(_ value: Double, _ conversion: Character, _ precision: Int, alternate: Bool) -> String {
        let pattern = "%\(alternate ? "#" : "").\(min(max(0, precision), 1_000))\(conversion)"
        var buffer = [CChar](repeating: 0, count: 2_048)
        let count = unsafe withVaList([value]) { arguments in
            unsafe vsnprintf(&buffer, buffer.count, pattern, arguments)
        }
        let length = min(max(0, Int(count)), buffer.count - 1)
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
