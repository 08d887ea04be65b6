import Chat
import Testing

@Suite struct LocalTimeTests {
    @Test(arguments: [
        ("2026-01-15", 2026, 1, 15, 0, 0, 0), ("2026-01-15T09:30", 2026, 1, 15, 9, 30, 0),
        ("2024-02-29 23:59:58", 2024, 2, 29, 23, 59, 58),
    ])
    func isoTimesAreRead(text: String, year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        let time = LocalTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        #expect(LocalTime(text) == time)
    }

    @Test(arguments: [
        "", "T", "2026", "2026-01", "2026-13-01", "2026-02-29", "2100-02-29", "2026-01-15T9", "2026-01-15T24:00",
        "2026-01-15T09:30:00Z", "2026-01-15T09:30:00.5", "2026-01--15", "-026-01-15", "0000-01-01",
        "2026-01-15 09:30 x",
    ])
    func othersAreRefused(text: String) {
        #expect(LocalTime(text) == nil)
    }

    @Test func nowIsATime() {
        #expect(LocalTime.now.year >= 2024)
    }
}
