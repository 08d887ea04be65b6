import Foundation
import Models
import TestSupport
import Testing

@Suite struct DocumentationTests {
    @Test func `the table of models says what each architecture's file says`() throws {
        let text = try String(contentsOfFile: "Documentation/models.md".inRepository, encoding: .utf8)
        let table = try #require(text.range(of: "| architecture |"))
        var rows: [String: String] = [:]
        for line in text[table.lowerBound...].split(separator: "\n").dropFirst(2) {
            guard line.hasPrefix("| `") else { break }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            rows[cells[0].trimmingCharacters(in: ["`"])] = cells[1]
        }
        let stated = Architectures.all.flatMap { type in type.models.map { ($0.key, $0.value) } }
        #expect(rows == Dictionary(uniqueKeysWithValues: stated))
    }

    @Test func `the README names every architecture`() throws {
        let text = try String(contentsOfFile: "README.md".inRepository, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Architectures: ") })
        let names = line.dropFirst("Architectures: ".count).split(separator: " ").map {
            String($0.filter { !"`,.".contains($0) })
        }
        #expect(names == Architectures.supportedNames)
    }
}
