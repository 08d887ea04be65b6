/// Methods of `str`.
enum TextMethods {
    static let named = Method<Text>.table(cases + classes + searches + splits + strips + layouts + formats)

    private static let cases: [Method<Text>] = [
        Method("upper") { _, text, _ in .string(text.uppercased()) },
        Method("lower") { _, text, _ in .string(text.lowercased()) },
        Method("capitalize") { _, text, _ in .string(text.capitalized()) },
        Method("title") { _, text, _ in .string(text.titlecased()) },
        Method("swapcase") { _, text, _ in .string(text.caseSwapped()) },
        Method("casefold") { _, text, _ in .string(text.caseFolded()) },
        Method("encode", .any) { (_, _, _) throws(ChatError) in
            throw ChatError(.type, "bytes are not supported")
        },
    ]

    private static let classes: [Method<Text>] = [
        Method("isupper") { _, text, _ in .bool(text.isUppercase) },
        Method("islower") { _, text, _ in .bool(text.isLowercase) },
        Method("istitle") { _, text, _ in .bool(text.isTitlecase) },
        Method("isspace") { _, text, _ in .bool(text.isAll { $0.isPythonWhitespace }) },
        Method("isalpha") { _, text, _ in .bool(text.isAll { $0.isLetter }) },
        Method("isalnum") { _, text, _ in .bool(text.isAll { $0.isAlphanumeric }) },
        Method("isdigit") { _, text, _ in .bool(text.isAll { $0.isDigit }) },
        Method("isdecimal") { _, text, _ in .bool(text.isAll { $0.isDecimal }) },
        Method("isnumeric") { _, text, _ in .bool(text.isAll { $0.isNumeric }) },
        Method("isascii") { _, text, _ in .bool(text.isASCII) },
        Method("isprintable") { _, text, _ in .bool(text.scalars.allSatisfy { $0.isPrintable }) },
        Method("isidentifier") { _, text, _ in
            let scalars = Array(text.scalars)
            guard let first = scalars.first, first == "_" || first.properties.isXIDStart else { return .bool(false) }
            return .bool(scalars.allSatisfy { $0.properties.isXIDContinue })
        },
    ]

    // MARK: - Searching

    private static let searches: [Method<Text>] = [
        Method("startswith", .positional("prefix", "start", "stop", required: 1)) {
            (_, text, arguments) throws(ChatError) in
            .bool(try matches(text, arguments, "startswith") { $0.hasPrefix($1) })
        },
        Method("endswith", .positional("suffix", "start", "stop", required: 1)) {
            (_, text, arguments) throws(ChatError) in
            .bool(try matches(text, arguments, "endswith") { $0.hasSuffix($1) })
        },
        Method("find", .positional("sub", "start", "stop", required: 1)) { (_, text, arguments) throws(ChatError) in
            .int(try position(text, arguments) { $0.find($1) } ?? -1)
        },
        Method("rfind", .positional("sub", "start", "stop", required: 1)) { (_, text, arguments) throws(ChatError) in
            .int(try position(text, arguments) { $0.findLast($1) } ?? -1)
        },
        Method("index", .positional("sub", "start", "stop", required: 1)) { (_, text, arguments) throws(ChatError) in
            .int(try found(try position(text, arguments) { $0.find($1) }))
        },
        Method("rindex", .positional("sub", "start", "stop", required: 1)) { (_, text, arguments) throws(ChatError) in
            .int(try found(try position(text, arguments) { $0.findLast($1) }))
        },
        Method("count", .positional("sub", "start", "stop", required: 1)) { (_, text, arguments) throws(ChatError) in
            let range = try TextRange(arguments, at: 1, count: text.count)
            guard !range.isBehindEnd else { return .int(0) }
            return .int(text.slice(range.range).occurrences(of: try arguments.text(0)))
        },
        Method("replace", .positional("old", "new", "count", required: 2)) {
            (interpreter, text, arguments) throws(ChatError) in
            let limit = try arguments.int(2, default: -1)
            return .string(
                try text.replacing(try arguments.text(0), with: try arguments.text(1), limit: limit, interpreter))
        },
        Method("removeprefix", .positional("prefix", required: 1)) { (_, text, arguments) throws(ChatError) in
            let prefix = try arguments.text(0)
            guard text.hasPrefix(prefix) else { return .string(text) }
            return .string(Text(bytes: text.bytes[prefix.bytes.count...], isMarkup: text.isMarkup))
        },
        Method("removesuffix", .positional("suffix", required: 1)) { (_, text, arguments) throws(ChatError) in
            let suffix = try arguments.text(0)
            guard text.hasSuffix(suffix) else { return .string(text) }
            return .string(Text(bytes: text.bytes[..<(text.bytes.count - suffix.bytes.count)], isMarkup: text.isMarkup))
        },
    ]

    private static func matches(
        _ text: Text, _ arguments: Bound, _ name: String, _ test: (Text, Text) -> Bool
    ) throws(ChatError) -> Bool {
        let range = try TextRange(arguments, at: 1, count: text.count)
        let part = arguments[1] == nil && arguments[2] == nil ? text : text.slice(range.range)
        switch try arguments.value(0) {
        case .string(let affix): return !range.isBehindEnd && test(part, affix)
        case .tuple(let affixes):
            for affix in affixes.items {
                guard case .string(let affix) = affix else {
                    throw ChatError(.type, "tuple for \(name) must only contain str, not \(affix.typeName)")
                }
                if !range.isBehindEnd, test(part, affix) { return true }
            }
            return false
        case let value:
            throw ChatError(
                .type, "\(name) first arg must be str or a tuple of str, not \(value.typeName)")
        }
    }

    private static func position(
        _ text: Text, _ arguments: Bound, _ find: (Text, Text) -> Int?
    ) throws(ChatError) -> Int? {
        let range = try TextRange(arguments, at: 1, count: text.count)
        let part = text.slice(range.range)
        let needle = try arguments.text(0)
        guard !range.isBehindEnd, let offset = find(part, needle) else { return nil }
        return range.range.lowerBound + part.scalarIndex(ofByte: offset)
    }

    private static func found(_ position: Int?) throws(ChatError) -> Int {
        guard let position else { throw ChatError(.value, "substring not found") }
        return position
    }

    // MARK: - Splitting and joining

    private static let splits: [Method<Text>] = [
        Method("split", .parameters("sep", "maxsplit")) { (interpreter, text, arguments) throws(ChatError) in
            try split(text, arguments, { $0.split($1, limit: $2) }, { $0.splitAtWhitespace(limit: $1) }, interpreter)
        },
        Method("rsplit", .parameters("sep", "maxsplit")) { (interpreter, text, arguments) throws(ChatError) in
            try split(
                text, arguments, { $0.splitFromEnd($1, limit: $2) }, { $0.splitAtWhitespaceFromEnd(limit: $1) },
                interpreter)
        },
        Method("splitlines", .parameters("keepends")) { (interpreter, text, arguments) throws(ChatError) in
            try interpreter.reserve(Text.overhead, times: text.bytes.count { $0 < 0x20 } + 1)
            return try .list(text.lines(keepingEnds: try arguments.int(0, default: 0) != 0).map { .string($0) })
        },
        Method("partition", .positional("sep", required: 1)) { (_, text, arguments) throws(ChatError) in
            if let parts = try partition(text, try separator(arguments), { $0.find($1) }) { return parts }
            return try .tuple([.string(text), .string(""), .string("")])
        },
        Method("rpartition", .positional("sep", required: 1)) { (_, text, arguments) throws(ChatError) in
            if let parts = try partition(text, try separator(arguments), { $0.findLast($1) }) { return parts }
            return try .tuple([.string(""), .string(""), .string(text)])
        },
        Method("join", .positional("iterable", required: 1)) { (interpreter, text, arguments) throws(ChatError) in
            var texts: [Text] = []
            let iterable = try arguments.value(0)
            guard let source = try Iteration(iterable) else { throw ChatError(.type, "can only join an iterable") }
            for (index, item) in try source.collect(interpreter).enumerated() {
                if text.isMarkup {
                    texts.append(item.escaped)
                } else if case .string(let part) = item {
                    texts.append(part)
                } else {
                    throw ChatError(.type, "sequence item \(index): expected str instance, \(item.typeName) found")
                }
            }
            return .string(try Text.joined(texts, separator: text, interpreter))
        },
    ]

    private static func split(
        _ text: Text, _ arguments: Bound, _ bySeparator: (Text, Text, Int) -> [Text],
        _ atWhitespace: (Text, Int) -> [Text], _ interpreter: Interpreter
    ) throws(ChatError) -> Value {
        let limit = try arguments.int(1, default: -1)
        guard let separator = arguments.optional(0) else {
            try interpreter.reserve(Text.overhead, times: text.bytes.count { $0 <= 0x20 } + 1)
            return try .list(atWhitespace(text, limit).map { .string($0) })
        }
        guard case .string(let separator) = separator else {
            throw ChatError(.type, "must be str or None, not \(separator.typeName)")
        }
        guard !separator.isEmpty else { throw ChatError(.value, "empty separator") }
        try interpreter.reserve(Text.overhead, times: text.occurrences(of: separator) + 1)
        let pieces = bySeparator(text, separator, limit)
        return try .list(pieces.map { .string($0) })
    }

    private static func separator(_ arguments: Bound) throws(ChatError) -> Text {
        let separator = try arguments.text(0)
        guard !separator.isEmpty else { throw ChatError(.value, "empty separator") }
        return separator
    }

    private static func partition(
        _ text: Text, _ separator: Text, _ find: (Text, Text) -> Int?
    ) throws(ChatError) -> Value? {
        guard let offset = find(text, separator) else { return nil }
        let end = offset + separator.bytes.count
        return try .tuple([
            .string(Text(bytes: text.bytes[..<offset], isMarkup: text.isMarkup)), .string(separator),
            .string(Text(bytes: text.bytes[end...], isMarkup: text.isMarkup)),
        ])
    }

    // MARK: - Stripping and padding

    private static let strips: [Method<Text>] = [
        Method("strip", .positional("chars")) { (_, text, arguments) throws(ChatError) in
            .string(text.stripped(try stripping(arguments)))
        },
        Method("lstrip", .positional("chars")) { (_, text, arguments) throws(ChatError) in
            .string(text.strippedAtStart(try stripping(arguments)))
        },
        Method("rstrip", .positional("chars")) { (_, text, arguments) throws(ChatError) in
            .string(text.strippedAtEnd(try stripping(arguments)))
        },
    ]

    private static func stripping(_ arguments: Bound) throws(ChatError) -> (Unicode.Scalar) -> Bool {
        guard let characters = arguments.optional(0) else { return { $0.isPythonWhitespace } }
        guard case .string(let text) = characters else { throw ChatError(.type, "strip arg must be None or str") }
        let set = Set(text.scalars)
        return { set.contains($0) }
    }

    private static let layouts: [Method<Text>] = [
        padding("ljust", .left), padding("rjust", .right), padding("center", .center),
        Method("zfill", .positional("width", required: 1)) { (interpreter, text, arguments) throws(ChatError) in
            let width = try arguments.value(0).requiredInt
            let hasSign = text.hasPrefix("-") || text.hasPrefix("+")
            let digits = hasSign ? Text(bytes: text.bytes.dropFirst()) : text
            let padded = try digits.padded(to: width &- (hasSign ? 1 : 0), .right, with: "0", interpreter)
            return .string(Text(bytes: (hasSign ? [text.bytes[0]] : []) + padded.bytes, isMarkup: text.isMarkup))
        },
        Method("expandtabs", .parameters("tabsize")) { (interpreter, text, arguments) throws(ChatError) in
            .string(try expandingTabs(text, try arguments.int(0, default: 8), interpreter))
        },
    ]

    private static func padding(_ name: Text, _ alignment: Text.Alignment) -> Method<Text> {
        Method(name, .positional("width", "fillchar", required: 1)) {
            (interpreter, text, arguments) throws(ChatError) in
            let fill = try arguments[1]?.requiredText ?? " "
            return .string(
                try text.padded(to: try arguments.value(0).requiredInt, alignment, with: fill, interpreter))
        }
    }

    private static func expandingTabs(_ text: Text, _ size: Int, _ interpreter: Interpreter) throws(ChatError) -> Text {
        try interpreter.reserve(max(0, size), times: text.bytes.count { $0 == UInt8(ascii: "\t") })
        var result: [UInt8] = []
        var column = 0
        for scalar in text.scalars {
            switch scalar {
            case "\t":
                let width = size > 0 ? size - column % size : 0
                result += repeatElement(UInt8(ascii: " "), count: width)
                column += width
            case "\n", "\r":
                result.append(scalar)
                column = 0
            default:
                result.append(scalar)
                column += 1
            }
        }
        return Text(bytes: result, isMarkup: text.isMarkup)
    }

    // MARK: - Formatting

    private static let formats: [Method<Text>] = [
        Method("format", .any) { (interpreter, text, arguments) throws(ChatError) in
            .string(try FormatString.format(text, arguments.call, interpreter))
        },
        Method("format_map", .positional("mapping", required: 1)) { (interpreter, text, arguments) throws(ChatError) in
            guard case .dict(let dict) = try arguments.value(0) else { throw ChatError(.type, "expected a mapping") }
            var call = CallArguments()
            for (key, value) in dict.entries { call.keyword.append((try key.requiredText, value)) }
            return .string(try FormatString.format(text, call, interpreter))
        },
    ]
}
