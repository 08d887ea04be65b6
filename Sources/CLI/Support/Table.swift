/// A table in Markdown, which reads well on a terminal too.
struct Table {
    enum Alignment { case left, right }

    private let header: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    init(_ columns: [(String, Alignment)]) {
        header = columns.map(\.0)
        alignments = columns.map(\.1)
    }

    mutating func add(_ row: [String]) {
        precondition(row.count == header.count)
        rows.append(row)
    }

    var rendered: String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        let rule = header.indices.map { column in
            let dashes = String(repeating: "-", count: max(1, widths[column] - 1))
            return alignments[column] == .right ? dashes + ":" : dashes + "-"
        }
        return ([header, rule] + rows).map { line($0, widths) }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.indices.map { column in
            let (cell, width) = (cells[column], widths[column])
            return alignments[column] == .right ? cell.leftPadded(to: width) : cell.padded(to: width)
        }
        return "| \(padded.joined(separator: " | ")) |\n"
    }
}
