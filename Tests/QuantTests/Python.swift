import Foundation
import Quant
import TestSupport
import Testing

/// The `gguf` package, called through `reference.py`.
enum Python {
    /// What the package makes of `input` (blocks to values or values to blocks). Without an interpreter in
    /// `TGI_RUN_PYTHON`: `nil` and a notice, or a failure under `CI=true`.
    static func reference(_ action: String, _ format: Format, _ input: Data) throws -> Data? {
        guard let interpreter = ProcessInfo.processInfo.environment["TGI_RUN_PYTHON"], !interpreter.isEmpty else {
            if TestData.isCI {
                Issue.record("TGI_RUN_PYTHON is not set")
            } else {
                print("note: \(format) not compared with Python: TGI_RUN_PYTHON is not set")
            }
            return nil
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "quant-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appending(path: "in")
        let target = folder.appending(path: "out")
        try input.write(to: source)

        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "reference.py")
        let process = Process()
        process.executableURL = URL(filePath: interpreter)
        process.arguments = [script.path, action, format.name, source.path, target.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "reference.py failed for \(format)")
        return try Data(contentsOf: target)
    }
}
