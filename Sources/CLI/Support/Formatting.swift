/// A decimal number with a fixed count of digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    var scale: UInt64 = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * Double(scale)).rounded()
    guard scaled < 0x1p63 else { return "\(value)" }
    let (whole, fraction) = UInt64(scaled).quotientAndRemainder(dividingBy: scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    return "\(sign)\(whole).\(String(fraction).leftPadded(to: digits, with: "0"))"
}

/// A size in the largest unit in which it is at least one.
func bytes(_ count: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024 && unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return unit == 0 ? "\(count) bytes" : "\(fixed(value, value < 10 ? 2 : 1)) \(units[unit])"
}

/// Seconds, or milliseconds below one.
func seconds(_ duration: Duration) -> String {
    let value = duration.inSeconds
    return value < 1 ? "\(fixed(value * 1000, value < 0.01 ? 2 : 0)) ms" : "\(fixed(value, 2)) s"
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

extension String {
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }

    func leftPadded(to width: Int, with filler: Character = " ") -> String {
        String(repeating: filler, count: Swift.max(0, width - count)) + self
    }
}
