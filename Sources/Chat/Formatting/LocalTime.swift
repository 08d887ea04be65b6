import Glibc

/// A date and time of day without a time zone: what `strftime_now` formats.
package struct LocalTime: Sendable, Hashable {
    package let year: Int
    /// 1…12
    package let month: Int
    /// 1…31
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int

    /// - Returns: `nil` for what is no date or time.
    package init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
    }

    /// ISO 8601 without a time zone: `2026-01-15`, `2026-01-15T09:30` or `2026-01-15T09:30:00`, also with a blank for the `T`.
    package init?(_ text: String) {
        let halves = text.split(whereSeparator: { $0 == "T" || $0 == " " })
        func numbers(_ index: Int, _ separator: Character) -> [Int]? {
            guard index < halves.count else { return [] }
            let parts = halves[index].split(separator: separator, omittingEmptySubsequences: false)
            let numbers = parts.compactMap { UInt16($0).map { Int($0) } }
            return numbers.count == parts.count ? numbers : nil
        }
        guard (1...2).contains(halves.count), let date = numbers(0, "-"), date.count == 3, let time = numbers(1, ":"),
            halves.count == 1 || (2...3).contains(time.count)
        else { return nil }
        self.init(
            year: date[0], month: date[1], day: date[2], hour: time.first ?? 0, minute: time.dropFirst().first ?? 0,
            second: time.dropFirst(2).first ?? 0)
    }

    /// The time on this machine's clock, in its time zone.
    package static var now: LocalTime {
        var seconds = time(nil)
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        let time = unsafe LocalTime(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: min(59, Int(parts.tm_sec)))
        guard let time else { preconditionFailure("localtime_r gives a valid time") }
        return time
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// `strftime`, in English.
    func formatted(_ format: String) throws(ChatError) -> String {
        guard format.utf8.count <= 4_096 else { throw ChatError(.limit, "the format of strftime_now is too long") }
        let dayOfYear = (1..<month).reduce(day) { $0 + Self.days(in: $1, of: year) }
        var parts = unsafe tm()
        unsafe parts.tm_year = Int32(year - 1900)
        unsafe parts.tm_mon = Int32(month - 1)
        unsafe parts.tm_mday = Int32(day)
        unsafe parts.tm_hour = Int32(hour)
        unsafe parts.tm_min = Int32(minute)
        unsafe parts.tm_sec = Int32(second)
        unsafe parts.tm_yday = Int32(dayOfYear - 1)
        unsafe parts.tm_wday = Int32(weekday(dayOfYear))
        unsafe parts.tm_isdst = -1
        // A blank in front, because nothing is also what a buffer that is too short gives.
        let pattern = " " + Self.withoutZone(format)
        var buffer = [CChar](repeating: 0, count: 65_536)
        let count = unsafe strftime(&buffer, buffer.count, pattern, &parts)
        guard count > 0 else { throw ChatError(.value, "the format of strftime_now makes too long a text") }
        return String(decoding: buffer[1..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// 0 is Sunday.
    private func weekday(_ dayOfYear: Int) -> Int {
        let past = year - 1
        return (past * 365 + past / 4 - past / 100 + past / 400 + dayOfYear) % 7
    }

    /// A time without a zone has no `%z` and `%Z`; Python adds `%f`, microseconds.
    private static func withoutZone(_ format: String) -> String {
        var result = ""
        var isEscape = false
        for character in format {
            if isEscape {
                switch character {
                case "z", "Z": break
                case "f": result += "000000"
                default: result += "%\(character)"
                }
                isEscape = false
            } else if character == "%" {
                isEscape = true
            } else {
                result.append(character)
            }
        }
        return isEscape ? result + "%%" : result
    }
}
