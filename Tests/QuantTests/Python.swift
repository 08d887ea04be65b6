import Foundation
import Quant
import TestSupport
import Testing

extension Python {
    /// What the `gguf` package makes of `input` (blocks to values or values to blocks), called through `reference.py`.
    static func reference(_ action: String, _ format: Format, _ input: Data) throws -> Data? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "quant-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appending(path: "in")
        let target = folder.appending(path: "out")
        try input.write(to: source)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "reference.py")
        guard try run([script.path, action, format.name, source.path, target.path]) != nil else { return nil }
        return try Data(contentsOf: target)
    }
}
