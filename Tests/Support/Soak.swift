import Glibc

/// How long the tests go on that could go on forever: briefly in every run of the tests, longer in `make soak`.
package enum Soak {
    /// How many times as much as in a run of the tests.
    package static let factor: Int = {
        guard let text = unsafe getenv("TGI_RUN_SOAK") else { return 1 }
        return unsafe Int(String(cString: text)) ?? 1
    }()

    package static func seeds(_ count: Int) -> [UInt64] { (1...UInt64(count * factor)).map { $0 } }
}
