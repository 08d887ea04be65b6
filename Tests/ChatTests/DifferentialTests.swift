import Chat
import Foundation
import JSON
import TestSupport
import Testing

/// Every snippet in `Snippets/` does what it does in Python's jinja2: it gives the same text, or it fails too.
@Suite struct DifferentialTests {
    private static let now = "2026-01-05T09:03:07"

    /// What the reference makes of the snippets. Without an interpreter in `TGI_RUN_PYTHON`: `nil` and a notice, or a failure under
    /// `CI=true`.
    private func reference(_ variables: JSON, _ snippets: [Snippets.Snippet]) throws -> [JSON]? {
        guard let interpreter = ProcessInfo.processInfo.environment["TGI_RUN_PYTHON"], !interpreter.isEmpty else {
            if TestData.isCI {
                Issue.record("TGI_RUN_PYTHON is not set")
            } else {
                print("note: templates not compared with Python: TGI_RUN_PYTHON is not set")
            }
            return nil
        }
        let temporary = FileManager.default.temporaryDirectory.appending(path: "chat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: temporary) }
        let (source, target) = (temporary.appending(path: "in"), temporary.appending(path: "out"))
        let task: JSON = [
            "variables": variables, "now": .string(Self.now), "snippets": .array(snippets.map { .string($0.source) }),
        ]
        try task.text().write(to: source, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: interpreter)
        process.arguments = [
            URL(filePath: #filePath).deletingLastPathComponent().appending(path: "reference.py").path, source.path,
            target.path,
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try JSON.parse(Array(Data(contentsOf: target))).arrayValue
    }

    @Test func everySnippetDoesWhatItDoesInPython() throws {
        let context = try Data(contentsOf: Snippets.folder.appending(path: "context.json"))
        let variables = try JSON.parse(Array(context))
        let snippets = try Snippets.all()
        try #require(snippets.count > 100)
        guard let expected = try reference(variables, snippets) else { return }
        try #require(expected.count == snippets.count)
        let now = try #require(LocalTime(Self.now))
        for (snippet, expected) in zip(snippets, expected) {
            let comment: Comment = "\(snippet.file): \(snippet.source)"
            let outcome = Result { () throws(ChatError) in
                try ChatTemplate(source: snippet.source).render(
                    messages: variables["messages"] ?? [], extra: variables.objectValue ?? JSONObject(), now: now)
            }
            switch outcome {
            case .success(let text):
                let theirs = expected["text"]?.stringValue?.replacing(/at 0x[0-9a-f]+/, with: "at 0x0")
                let wanted = theirs ?? "fails with \(expected["error"]?.stringValue ?? "")"
                if !text.utf8.elementsEqual(wanted.utf8) {
                    Issue.record("\(comment)\n ours: \(text.debugDescription)\n theirs: \(wanted.debugDescription)")
                }
            case .failure(let error):
                #expect(expected["text"] == nil, "\(comment) fails with \(error)")
            }
        }
    }
}
