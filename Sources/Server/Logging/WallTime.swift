internal import Glibc

/// A moment of the calendar, in UTC.
package struct WallTime: Sendable {
    /// Since 1970.
    package let seconds: Int
    package let microseconds: Int

    package init(seconds: Int, microseconds: Int) {
        self.seconds = seconds
        self.microseconds = microseconds
    }

    package static var now: WallTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(seconds: time.tv_sec, microseconds: time.tv_nsec / 1000)
    }

    private var days: Int { seconds / 86_400 }
    private var timeOfDay: String {
        let second = seconds % 86_400
        return "\(Self.padded(second / 3600)):\(Self.padded(second / 60 % 60)):\(Self.padded(second % 60))"
    }

    /// The Gregorian date: years are counted from March, so that the day that comes and goes is a year's last.
    private var date: (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// RFC 3339 with microseconds: `2026-01-31T12:00:00.000000Z`.
    package var text: String {
        let (year, month, day) = date
        return "\(year)-\(Self.padded(month))-\(Self.padded(day))T\(timeOfDay).\(Self.padded(microseconds, 6))Z"
    }

    /// RFC 9110, for the header `date`: `Sat, 31 Jan 2026 12:00:00 GMT`.
    package var httpText: String {
        let (year, month, day) = date
        // 1 January 1970 was a Thursday.
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days % 7]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(weekday), \(Self.padded(day)) \(months[month - 1]) \(year) \(timeOfDay) GMT"
    }

    private static func padded(_ value: Int, _ width: Int = 2) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
