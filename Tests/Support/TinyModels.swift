import Foundation
package import JSON
package import Models
import Testing

/// The models of `TinyModels/tiny_models.py`: random weights, a few hundred kilobytes each, at least one for every architecture. Each has an
/// answer of an independent implementation in `References` (`scripts/model-references` makes them).
package struct TinyModel: Sendable, CustomTestStringConvertible {
    package enum Kind: String, Sendable { case f32, q8_0 }

    /// As in the script, with a dash for its colon: the architecture and, where there are several, a variant.
    package let name: String
    package var testDescription: String { name }

    package static let all: [TinyModel] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/References")) ?? []
        return files.filter { $0.hasSuffix(".json") }.sorted().map { TinyModel(name: String($0.dropLast(5))) }
    }()

    private static let folder = "Tests/Support".inRepository
    /// Tokens of context that references are computed for.
    package static let contextLength = 128

    package func reference() throws -> JSON {
        try JSON.parse(Array(Data(contentsOf: URL(filePath: "\(Self.folder)/References/\(name).json"))))
    }

    /// The model, generated on first use. Without a Python interpreter: `nil` and a notice, or a failure under `CI=true`.
    package func load(_ kind: Kind = .f32) throws -> Model? {
        guard let folder = try Self.generated(kind) else { return nil }
        return try Model(path: "\(folder)/\(name).gguf").planned(forContext: Self.contextLength)
    }

    private static let lock = NSLock()

    /// A folder with all models, kept for later runs under a name that changes with the scripts.
    private static func generated(_ kind: Kind) throws -> String? {
        lock.lock()
        defer { lock.unlock() }
        let scripts = folder + "/TinyModels"
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for file in try FileManager.default.contentsOfDirectory(atPath: scripts).sorted() where file.hasSuffix(".py") {
            let bytes = try Data(contentsOf: URL(filePath: "\(scripts)/\(file)"))
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        let temporary = FileManager.default.temporaryDirectory.path
        let target = "\(temporary)/tgi-run-tiny-models-\(kind.rawValue)-\(String(hash, radix: 16))"
        if FileManager.default.fileExists(atPath: target) { return target }
        let work = "\(target)-\(UUID().uuidString)"
        guard try Python.run([scripts + "/tiny_models.py", "--out", work, "--type", kind.rawValue]) != nil else {
            return nil
        }
        // Another process may have been faster.
        if unsafe rename(work, target) != 0 { try FileManager.default.removeItem(atPath: work) }
        return target
    }
}
