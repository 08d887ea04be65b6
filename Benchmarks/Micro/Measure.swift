/// Runs `body` for about half a second after a warm-up and prints the median and the least time of one run, and how many things it does
/// per second in the median.
func measure(_ name: String, count: Int = 1, unit: String = "", _ body: () throws -> Void) rethrows {
    let clock = ContinuousClock()
    try body()
    var times: [Double] = []
    let start = clock.now
    while start.duration(to: clock.now) < .milliseconds(500) || times.count < 5 {
        times.append(try clock.measure(body) / .microseconds(1))
    }
    times.sort()
    let median = times[times.count / 2]
    let rate = unit.isEmpty ? "" : "\(Int(Double(count) / median * 1e6)) \(unit)/s"
    print(column(name, 52), column(median, 12), column(times[0], 12), rate)
}

func printHeader() {
    print(column("", 52), "   median µs", "    least µs")
}

private func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func column(_ value: Double, _ width: Int) -> String {
    let text = "\((value * 100).rounded() / 100)"
    return String(repeating: " ", count: max(0, width - text.count)) + text
}
