// Filters that lay out text: indenting, padding, cutting, wrapping.

extension Filter {
    static let textLayouts: [Filter] = [
        Filter("indent", .parameters("width", "first", "blank")) { (interpreter, value, arguments) throws(ChatError) in
            if case .undefined(let undefined) = value { throw undefined.error }
            let text = try value.requiredText
            let indentation: Text
            if case .string(let width) = arguments[0] {
                indentation = width
            } else {
                let width = try arguments.int(0, default: 4)
                try interpreter.reserve(max(0, width))
                indentation = Text(String(repeating: " ", count: max(0, width)))
            }
            let first = arguments.truth(1)
            let blank = arguments.truth(2)
            return .string(try indented(text, indentation, first: first, blank: blank, interpreter))
        },
        Filter("center", .parameters("width")) { (interpreter, value, arguments) throws(ChatError) in
            let width = try arguments.int(0, default: 80)
            return .string(try value.softText.padded(to: width, .center, with: " ", interpreter))
        },
        Filter("truncate", .parameters("length", "killwords", "end", "leeway")) {
            (_, value, arguments) throws(ChatError) in
            let length = try arguments.int(0, default: 255)
            let end = try arguments[2]?.requiredText ?? "..."
            let leeway = try arguments.optional(3)?.requiredInt ?? 5
            guard length >= end.count else {
                throw ChatError(.assertion, "expected length >= \(end.count), got \(length)")
            }
            guard leeway >= 0 else { throw ChatError(.assertion, "expected leeway >= 0, got \(leeway)") }
            guard let count = try value.length() else {
                throw ChatError(.type, "object of type '\(value.typeName)' has no len()")
            }
            if count <= length.addingReportingOverflow(leeway).partialValue { return value }
            let text = try value.requiredText
            let kept = text.slice(0..<min(count, length - end.count))
            let cut = arguments.truth(1) ? kept : kept.splitFromEnd(" ", limit: 1)[0]
            return .string(Text(bytes: cut.bytes + end.bytes, isMarkup: text.isMarkup))
        },
        Filter("wordwrap", .parameters("width", "break_long_words", "wrapstring", "break_on_hyphens")) {
            (_, value, arguments) throws(ChatError) in
            let width = try arguments.int(0, default: 79)
            guard width > 0 else { throw ChatError(.value, "invalid width \(width) (must be > 0)") }
            let separator = try arguments.optional(2)?.requiredText ?? "\n"
            let wrapper = TextWrapper(
                width: width, breaksLongWords: arguments.truth(1, default: true),
                breaksOnHyphens: arguments.truth(3, default: true))
            let lines = try value.requiredText.lines().map { line in
                Array(joining: wrapper.wrap(line).map(\.bytes), separator: separator.bytes)
            }
            return .string(Text(bytes: Array(joining: lines, separator: separator.bytes)))
        },
    ]

    private static func indented(
        _ text: Text, _ indentation: Text, first: Bool, blank: Bool, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        let lines = Text(bytes: text.bytes + [UInt8(ascii: "\n")], isMarkup: text.isMarkup).lines()
        try interpreter.reserve(indentation.bytes.count + 1, times: lines.count + 1)
        let indentation = text.isMarkup ? indentation.escaped : indentation
        var result = first ? indentation.bytes : []
        for (index, line) in lines.enumerated() {
            if index > 0 {
                result.append(UInt8(ascii: "\n"))
                if blank || !line.isEmpty { result += indentation.bytes }
            }
            result += line.bytes
        }
        return Text(bytes: result, isMarkup: text.isMarkup)
    }
}

extension Text {
    enum Alignment { case left, right, center }

    /// Padded with `fill` to `width` code points. An odd rest goes where `str.center` puts it.
    func padded(
        to width: Int, _ alignment: Alignment, with fill: Text, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        guard fill.count == 1 else { throw ChatError(.type, "The fill character must be exactly one character long") }
        let missing = width.subtractingReportingOverflow(count)
        guard missing.partialValue > 0, !missing.overflow else { return self }
        try interpreter.reserve(fill.bytes.count, times: missing.partialValue)
        let rest = missing.partialValue
        let left =
            switch alignment {
            case .left: 0
            case .right: rest
            case .center: rest / 2 + (rest & width & 1)
            }
        func padding(_ count: Int) -> [UInt8] { Array(repeating: fill.bytes, count: count) }
        return Text(bytes: padding(left) + bytes + padding(rest - left), isMarkup: isMarkup)
    }
}

/// Wraps one paragraph as Python's `textwrap` does.
private struct TextWrapper {
    let width: Int
    let breaksLongWords: Bool
    let breaksOnHyphens: Bool

    func wrap(_ text: Text) -> [Text] {
        var chunks = chunks(text)[...]
        var lines: [Text] = []
        while !chunks.isEmpty {
            if isBlank(chunks.first), !lines.isEmpty { chunks.removeFirst() }
            var line: [Text] = []
            var length = 0
            while let next = chunks.first, length + next.count <= width {
                line.append(next)
                length += next.count
                chunks.removeFirst()
            }
            if let next = chunks.first, next.count > width {
                let space = width - length
                if breaksLongWords {
                    let end = breakPosition(next, space)
                    line.append(next.slice(0..<end))
                    chunks[chunks.startIndex] = next.slice(end..<next.count)
                } else if line.isEmpty {
                    line.append(next)
                    chunks.removeFirst()
                }
            }
            if isBlank(line.last) { line.removeLast() }
            if !line.isEmpty { lines.append(Text(bytes: Array(joining: line.map(\.bytes)))) }
        }
        return lines
    }

    /// Where a word that is too long for a line is cut: behind a hyphen in the room there is, or at its end.
    private func breakPosition(_ word: Text, _ space: Int) -> Int {
        guard breaksOnHyphens else { return space }
        let head = Array(word.scalars.prefix(space))
        guard let hyphen = head.lastIndex(of: "-"), hyphen > 0, head[..<hyphen].contains(where: { $0 != "-" }) else {
            return space
        }
        return hyphen + 1
    }

    private func isBlank(_ chunk: Text?) -> Bool { chunk?.stripped().isEmpty ?? false }

    /// Runs of whitespace and words in turn; words are split behind hyphens between letters.
    private func chunks(_ text: Text) -> [Text] {
        var chunks: [Text] = []
        var rest = text
        while !rest.isEmpty {
            let afterBlank = rest.strippedAtStart { $0.isPythonWhitespace }
            let blank = rest.bytes.count - afterBlank.bytes.count
            if blank > 0 { chunks.append(Text(bytes: rest.bytes[..<blank])) }
            let afterWord = afterBlank.strippedAtStart { !$0.isPythonWhitespace }
            let word = Text(bytes: afterBlank.bytes[..<(afterBlank.bytes.count - afterWord.bytes.count)])
            if !word.isEmpty { chunks += breaksOnHyphens ? hyphenated(word) : [word] }
            rest = afterWord
        }
        return chunks
    }

    private func hyphenated(_ word: Text) -> [Text] {
        let scalars = Array(word.scalars)
        var parts: [Text] = []
        var start = 0
        for index in scalars.indices where scalars[index] == "-" && index >= 2 && index + 2 < scalars.count {
            let isBetweenLetters =
                scalars[index - 1].isLetter && scalars[index - 2].isLetter && scalars[index + 1].isLetter
                && scalars[index + 2].isLetter
            if isBetweenLetters, index + 1 > start {
                parts.append(Text(scalars: scalars[start...index]))
                start = index + 1
            }
        }
        parts.append(Text(scalars: scalars[start...]))
        return parts
    }
}
