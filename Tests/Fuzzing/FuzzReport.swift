/// What a number of cases came to.
package struct FuzzReport: Sendable {
    package private(set) var opened = 0
    package private(set) var refused = 0
    package private(set) var findings: [String] = []
    /// How often each kind of problem was named, digits and names left out.
    package private(set) var problems: [String: Int] = [:]

    package init() {}

    package var count: Int { opened + refused + findings.count }

    package mutating func run(seed: UInt64, number: Int) {
        switch FuzzCase(seed: seed, number: number).run() {
        case .opened: opened += 1
        case .refused(let line):
            refused += 1
            problems[Self.kind(line), default: 0] += 1
        case .finding(let text): findings.append("seed \(seed) case \(number): \(text)")
        }
    }

    /// The words of a message that do not depend on the input.
    private static func kind(_ line: String) -> String {
        let problem = line.split(separator: ": ").dropFirst().filter {
            !$0.hasPrefix("key '") && !$0.hasPrefix("tensor '")
        }
        let words = problem.joined(separator: ": ").split(separator: " ").filter {
            $0.allSatisfy { $0.isLetter || $0 == "-" || $0 == "," }
        }
        return words.prefix(8).joined(separator: " ")
    }
}
