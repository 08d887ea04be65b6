package import Foundation
package import Testing

/// References in Python: the interpreter that TGI_RUN_PYTHON names, with the packages of scripts/requirements.txt.
package enum Python {
    /// What a script prints on its standard output. Without an interpreter: nil and a notice, or a failure under `CI=true`.
    /// - Parameter arguments: "-c" and a script's text, or a script's path; then what it gets.
    package static func run(
        _ arguments: [String], input: Data = Data(), sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Data? {
        guard let path = ProcessInfo.processInfo.environment["TGI_RUN_PYTHON"], !path.isEmpty else {
            if TestData.isCI {
                Issue.record("TGI_RUN_PYTHON is not set", sourceLocation: sourceLocation)
            } else {
                print("note: not compared with Python: TGI_RUN_PYTHON is not set")
            }
            return nil
        }
        // Through a file: a pipe that both sides fill would block them.
        let source = FileManager.default.temporaryDirectory.appending(path: "tgi-run-python-\(UUID().uuidString)")
        try input.write(to: source)
        defer { try? FileManager.default.removeItem(at: source) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: source)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "Python failed", sourceLocation: sourceLocation)
        return data
    }
}
