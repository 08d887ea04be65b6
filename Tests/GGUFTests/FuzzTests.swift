import Fuzzing
import Testing

@Suite("Fuzzing")
struct FuzzTests {
    @Test func twentyThousandBrokenFiles() {
        var report = FuzzReport()
        for number in 0..<20_000 { report.run(seed: 2, number: number) }
        print(
            "fuzz: \(report.count) inputs, \(report.opened) opened, \(report.refused) refused, \(report.findings.count) findings"
        )
        #expect(report.findings.isEmpty)
        #expect(report.count == 20_000)
        // The mutator must reach all of the reader, not only its first lines, and leave some files whole.
        #expect(report.opened > 1000)
        #expect(report.problems.count > 40)
    }

    @Test func sameSeedSameCase() {
        let (a, b) = (FuzzCase(seed: 7, number: 11), FuzzCase(seed: 7, number: 11))
        #expect(a.files == b.files && a.path == b.path)
        #expect((0..<64).contains { FuzzCase(seed: 7, number: $0).files != FuzzCase(seed: 8, number: $0).files })
    }
}
