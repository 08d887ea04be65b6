/// What is wrong with a file, and where: one line for a person.
package struct GGUFError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Place: Hashable, Sendable {
        case file
        /// Byte offset in the file, after decompression where it is compressed.
        case offset(Int)
        case key(String, offset: Int? = nil)
        case tensor(String, offset: Int? = nil)
    }

    /// Path as it was given, or empty for metadata that came from no file.
    package let file: String
    package let place: Place
    package let problem: String

    package init(file: String, place: Place = .file, problem: String) {
        self.file = file
        self.place = place
        self.problem = problem
    }

    package var description: String {
        let parts = file.isEmpty ? [place.description, problem] : [Self.printable(file), place.description, problem]
        return parts.filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// `text` with control characters escaped and at most `limit` characters long: names come from hostile files, and an error
    /// is one line on a terminal.
    static func printable(_ text: String, limit: Int = 300) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == limit { return result + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension GGUFError.Place: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file: ""
        case .offset(let offset): "byte \(offset)"
        case .key(let name, let offset): "key '\(GGUFError.printable(name, limit: 100))'" + Self.suffix(offset)
        case .tensor(let name, let offset): "tensor '\(GGUFError.printable(name, limit: 100))'" + Self.suffix(offset)
        }
    }

    private static func suffix(_ offset: Int?) -> String { offset.map { " at byte \($0)" } ?? "" }
}
