import Foundation
import Testing

/// References in Python: the interpreter that TGI_RUN_PYTHON names.
enum Python {
    /// What `script` prints for `input`; nil, with a notice, where there is no interpreter.
    static func run(
        _ script: String, input: Data, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Data? {
        let environment = ProcessInfo.processInfo.environment
        guard let path = environment["TGI_RUN_PYTHON"], !path.isEmpty else {
            if environment["CI"] == "true" {
                Issue.record("TGI_RUN_PYTHON is not set", sourceLocation: sourceLocation)
            } else {
                print("note: not compared with Python: TGI_RUN_PYTHON is not set")
            }
            return nil
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "tgi-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let inputPath = folder.appending(path: "input")
        try input.write(to: inputPath)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", script]
        process.standardInput = try FileHandle(forReadingFrom: inputPath)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, sourceLocation: sourceLocation)
        return data
    }
}
