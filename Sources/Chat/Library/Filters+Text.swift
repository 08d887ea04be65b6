// Filters on text.

extension Filter {
    static let texts: [Filter] = [
        Filter("upper") { _, value, _ in .string(value.softText.uppercased()) },
        Filter("lower") { _, value, _ in .string(value.softText.lowercased()) },
        Filter("capitalize") { _, value, _ in .string(value.softText.capitalized()) },
        Filter("title") { _, value, _ in .string(title(value.softText)) },
        Filter("trim", .parameters("chars")) { (_, value, arguments) throws(ChatError) in
            let text = value.softText
            guard let characters = arguments.optional(0) else { return .string(text.stripped()) }
            let set = Set(try characters.requiredText.scalars)
            return .string(text.stripped { set.contains($0) })
        },
        Filter("replace", .parameters("old", "new", "count", required: 2)) {
            (interpreter, value, arguments) throws(ChatError) in
            let limit = try arguments.optional(2)?.requiredInt ?? -1
            let (old, new) = (try arguments.value(0), try arguments.value(1))
            if interpreter.escapes { return .string(try escapingReplace(value, old, new, limit, interpreter)) }
            return .string(try value.text.replacing(old.text, with: new.text, limit: limit, interpreter))
        },
        Filter("string") { _, value, _ in .string(value.softText) },
        Filter("safe") { _, value, _ in .string(value.softText.marked(true)) },
        Filter("escape") { _, value, _ in .string(value.escaped) },
        Filter("e") { _, value, _ in .string(value.escaped) },
        Filter("forceescape") { _, value, _ in .string(value.text.escaped) },
        Filter("striptags") { _, value, _ in .string(strippingTags(value.text)) },
        Filter("urlencode") { (interpreter, value, _) throws(ChatError) in .string(try urlEncoded(value, interpreter))
        },
        Filter("wordcount") { _, value, _ in .int(wordCount(value.softText)) },
        Filter("format", .any) { (interpreter, value, arguments) throws(ChatError) in
            let call = arguments.call
            guard call.positional.isEmpty || call.keyword.isEmpty else {
                throw ChatError(
                    .filterArgument, "can't handle positional and keyword arguments at the same time")
            }
            let operand: Value =
                call.keyword.isEmpty
                ? try .tuple(call.positional)
                : .dict(try DictValue(call.keyword.map { (key: .string($0.name), value: $0.value) }))
            return .string(try PercentFormat.format(value.softText, operand, interpreter))
        },
    ]

    /// Each word with a capital; words begin at the start and behind blanks, hyphens and opening brackets.
    private static func title(_ text: Text) -> Text {
        var result: [UInt8] = []
        var word: [Unicode.Scalar] = []
        func flush() {
            guard let first = word.first else { return }
            result.append(first.properties.uppercaseMapping)
            result += Text(scalars: word.dropFirst()).lowercased().bytes
            word = []
        }
        for scalar in text.scalars {
            if scalar.isPythonWhitespace || "-({[<".unicodeScalars.contains(scalar) {
                flush()
                result.append(scalar)
            } else {
                word.append(scalar)
            }
        }
        flush()
        return Text(bytes: result)
    }

    private static func escapingReplace(
        _ value: Value, _ old: Value, _ new: Value, _ limit: Int, _ interpreter: Interpreter
    ) throws(ChatError) -> Text {
        let (old, new) = (old.softText, new.softText)
        let text = old.isMarkup || new.isMarkup && !value.softText.isMarkup ? value.escaped : value.softText
        let replacement = text.isMarkup ? new.escaped : new
        return try text.replacing(old, with: replacement, limit: limit, interpreter)
    }

    /// Comments and tags taken out, whitespace collapsed, entities of markup replaced.
    private static func strippingTags(_ text: Text) -> Text {
        var bytes = text.bytes
        bytes = removing(from: "<!--", to: "-->", bytes)
        bytes = removing(from: "<", to: ">", bytes)
        let words = Text(bytes: bytes).splitAtWhitespace(limit: -1).map(\.bytes)
        var result = Text(bytes: Array(joining: words, separator: [UInt8(ascii: " ")]))
        for (entity, character): (Text, Text) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&"),
        ] {
            result = result.replacing(entity, with: character)
        }
        return result
    }

    private static func removing(from start: Text, to end: Text, _ bytes: [UInt8]) -> [UInt8] {
        let text = Text(bytes: bytes)
        var result: [UInt8] = []
        var offset = 0
        while let open = text.find(start, from: offset), let close = text.find(end, from: open + start.bytes.count) {
            result += bytes[offset..<open]
            offset = close + end.bytes.count
        }
        return result + bytes[offset...]
    }

    private static func urlEncoded(_ value: Value, _ interpreter: Interpreter) throws(ChatError) -> Text {
        guard !isText(value), let source = try Iteration(value) else { return quoted(value.text, safe: "/") }
        let pairs: [Value]
        if case .dict(let dict) = value { pairs = try dict.items() } else { pairs = try source.collect(interpreter) }
        var result: [UInt8] = []
        for pair in pairs {
            let parts = try pair.collected(interpreter)
            guard parts.count == 2 else { throw ChatError(.value, "expected pairs") }
            if !result.isEmpty { result.append(UInt8(ascii: "&")) }
            for (index, part) in parts.enumerated() {
                if index == 1 { result.append(UInt8(ascii: "=")) }
                result += quoted(part.text, safe: "").replacing("%20", with: "+").bytes
            }
        }
        return Text(bytes: result)
    }

    private static func isText(_ value: Value) -> Bool {
        if case .string = value { true } else { false }
    }

    private static func quoted(_ text: Text, safe: String) -> Text {
        var result: [UInt8] = []
        for byte in text.bytes {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80,
                scalar.isLetter || scalar.isASCIIDigit || "_.-~".unicodeScalars.contains(scalar)
                    || safe.unicodeScalars.contains(scalar)
            {
                result.append(byte)
            } else {
                result.append("%" + byte.hex(2).uppercased())
            }
        }
        return Text(bytes: result)
    }

    private static func wordCount(_ text: Text) -> Int {
        var count = 0
        var isInWord = false
        for scalar in text.scalars {
            let isWord = scalar == "_" || scalar.isAlphanumeric
            if isWord, !isInWord { count += 1 }
            isInWord = isWord
        }
        return count
    }
}

extension Text {
    /// As ``replacing(_:with:limit:)``, with the result counted before it is made.
    func replacing(_ old: Text, with new: Text, limit: Int, _ interpreter: Interpreter) throws(ChatError) -> Text {
        let found = occurrences(of: old)
        let replaced = limit < 0 ? found : min(limit, found)
        try interpreter.reserve(new.bytes.count, times: replaced)
        try interpreter.reserve(bytes.count)
        return replacing(old, with: isMarkup ? new.escaped : new, limit: limit)
    }
}
