@main
enum MicroBenchmarks {
    static func main() throws {
        printHeader()
        try benchmarkSampling()
        try benchmarkJSON()
        try benchmarkTemplates()
        benchmarkScheduling()
    }
}
