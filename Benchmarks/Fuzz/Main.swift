import Fuzzing
import Glibc
import Synchronization

/// Feeds the GGUF reader broken files: `Fuzz [--count N] [--seed S] [--start I] [--kinds]`.
///
/// Each case follows from the seed and its number alone, so that a crash is repeated by `--seed S --start I --count 1`.
@main
enum Main {
    /// Case at work, for the signal handler.
    private static let current = Atomic<Int>(0)
    /// More memory than any case may need.
    private static let memoryLimit: rlim_t = 4 << 30

    static func main() {
        let seed = UInt64(option("--seed", 1))
        let start = option("--start", 0)
        let count = option("--count", 1_000_000)
        limitMemory()
        reportCrashes()

        var report = FuzzReport()
        let clock = ContinuousClock()
        let begin = clock.now
        for number in start..<start + count {
            current.store(number, ordering: .relaxed)
            report.run(seed: seed, number: number)
        }
        let seconds = (clock.now - begin) / .seconds(1)

        for finding in report.findings.prefix(20) { print("finding: \(finding)") }
        if CommandLine.arguments.contains("--kinds") {
            for (kind, count) in report.problems.sorted(by: { $0.value > $1.value }) { print("\(count)\t\(kind)") }
        }
        print(
            "fuzz: \(report.count) inputs (seed \(seed), from \(start)): \(report.opened) opened, \(report.refused) refused,",
            "\(report.findings.count) findings; \(Int(Double(count) / seconds)) inputs/s, peak memory \(peakMemory >> 20) MiB"
        )
        exit(report.findings.isEmpty ? 0 : 1)
    }

    private static func option(_ name: String, _ standard: Int) -> Int {
        let arguments = CommandLine.arguments
        guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return standard }
        guard let value = Int(arguments[index + 1]), value >= 0 else {
            print("\(name) takes a number")
            exit(2)
        }
        return value
    }

    /// An allocation that follows a lie of the file fails, and the case crashes.
    private static func limitMemory() {
        var limit = rlimit(rlim_cur: memoryLimit, rlim_max: memoryLimit)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    }

    private static func reportCrashes() {
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] {
            signal(number) { number in
                print("finding: case \(Main.current.load(ordering: .relaxed)) ended with signal \(number)")
                fflush(nil)
                _exit(1)
            }
        }
    }

    private static var peakMemory: Int {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss << 10
    }
}
