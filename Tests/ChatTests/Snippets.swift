import Foundation

/// The small templates in the folder `Snippets`.
enum Snippets {
    struct Snippet {
        let file: String
        let source: String
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snippets")

    /// In a `.lines` file each line is one; in a `.txt` file they are apart by lines of `=====`.
    static func all() throws -> [Snippet] {
        let separators = ["lines": "\n", "txt": "\n=====\n"]
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().flatMap { name in
            guard let separator = separators[URL(filePath: name).pathExtension] else { return [Snippet]() }
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return text.components(separatedBy: separator).map { Snippet(file: name, source: $0) }
        }
    }
}
