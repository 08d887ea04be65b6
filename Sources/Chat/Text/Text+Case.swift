// Case and character classes, by the Unicode properties that Python's `str` uses.

extension Unicode.Scalar {
    /// What `str.isspace` and `\s` hold for whitespace.
    var isPythonWhitespace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// What ends a line for `str.splitlines`.
    var isLineBoundary: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    var isLetter: Bool {
        if isASCII { return (0x41...0x5A).contains(value) || (0x61...0x7A).contains(value) }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isASCIIDigit: Bool { (0x30...0x39).contains(value) }
    var isDecimal: Bool { isASCII ? isASCIIDigit : properties.generalCategory == .decimalNumber }
    var isDigit: Bool { isDecimal || properties.numericType == .digit || properties.numericType == .decimal }
    var isNumeric: Bool { isASCII ? isASCIIDigit : properties.numericType != nil }
    var isAlphanumeric: Bool { isLetter || isNumeric }

    /// What `str.isprintable` holds for printable: the others are escaped by `repr`.
    var isPrintable: Bool {
        if isASCII { return (0x20..<0x7F).contains(value) }
        return switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }

    var isTitlecase: Bool { properties.generalCategory == .titlecaseLetter }
}

extension Text {
    private func mapScalars(_ ascii: (UInt8) -> UInt8, _ other: (Unicode.Scalar) -> String) -> Text {
        if isASCII { return Text(bytes: bytes.map(ascii), isMarkup: isMarkup) }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for scalar in scalars {
            if scalar.isASCII { result.append(ascii(UInt8(scalar.value))) } else { result.append(other(scalar)) }
        }
        return Text(bytes: result, isMarkup: isMarkup)
    }

    func uppercased() -> Text {
        mapScalars({ (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, { $0.properties.uppercaseMapping })
    }

    func lowercased() -> Text {
        if !isASCII, scalars.contains("Σ") {
            let all = Array(scalars)
            return Text(bytes: all.indices.reduce(into: []) { $0.append(Self.lower(all, $1)) }, isMarkup: isMarkup)
        }
        return mapScalars({ (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, { $0.properties.lowercaseMapping })
    }

    /// The lower case of one code point in its place: a capital sigma that ends a word becomes the final form.
    private static func lower(_ all: [Unicode.Scalar], _ index: Int) -> String {
        let scalar = all[index]
        guard scalar == "Σ" else { return scalar.properties.lowercaseMapping }
        let before = all[..<index].last { !$0.properties.isCaseIgnorable }
        let after = all[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return (before?.properties.isCased ?? false) && !(after?.properties.isCased ?? false) ? "ς" : "σ"
    }

    /// The first code point in title case, the others in lower case.
    func capitalized() -> Text {
        let all = Array(scalars)
        guard let first = all.first else { return self }
        var result = Array(first.properties.titlecaseMapping.utf8)
        for index in all.indices.dropFirst() { result.append(Self.lower(all, index)) }
        return Text(bytes: result, isMarkup: isMarkup)
    }

    /// `str.title`: a cased code point that follows no cased one in title case, the others in lower case.
    func titlecased() -> Text {
        let all = Array(scalars)
        var result: [UInt8] = []
        var previousIsCased = false
        for (index, scalar) in all.enumerated() {
            result.append(previousIsCased ? Self.lower(all, index) : scalar.properties.titlecaseMapping)
            previousIsCased = scalar.properties.isCased
        }
        return Text(bytes: result, isMarkup: isMarkup)
    }

    func caseSwapped() -> Text {
        let all = Array(scalars)
        var result: [UInt8] = []
        for (index, scalar) in all.enumerated() {
            if scalar.properties.isUppercase {
                result.append(Self.lower(all, index))
            } else if scalar.properties.isLowercase {
                result.append(scalar.properties.uppercaseMapping)
            } else {
                result.append(scalar)
            }
        }
        return Text(bytes: result, isMarkup: isMarkup)
    }

    /// `str.casefold`, up to scalars whose folding is not the lower case of their upper case.
    func caseFolded() -> Text {
        var result: [UInt8] = []
        for scalar in scalars {
            for upper in scalar.properties.uppercaseMapping.unicodeScalars {
                result.append(upper.properties.lowercaseMapping)
            }
        }
        return Text(bytes: result, isMarkup: isMarkup)
    }

    var isUppercase: Bool { hasCase { !$0.properties.isLowercase && !$0.isTitlecase } }
    var isLowercase: Bool { hasCase { !$0.properties.isUppercase && !$0.isTitlecase } }

    /// Whether some code point is cased and every cased one agrees.
    private func hasCase(_ agrees: (Unicode.Scalar) -> Bool) -> Bool {
        var some = false
        for scalar in scalars {
            if !agrees(scalar) { return false }
            some = some || scalar.properties.isUppercase || scalar.properties.isLowercase
        }
        return some
    }

    var isTitlecase: Bool {
        var some = false
        var previousIsCased = false
        for scalar in scalars {
            if scalar.properties.isUppercase || scalar.isTitlecase {
                if previousIsCased { return false }
                previousIsCased = true
                some = true
            } else if scalar.properties.isLowercase {
                if !previousIsCased { return false }
                some = true
            } else {
                previousIsCased = false
            }
        }
        return some
    }

    /// Whether there is a code point and all satisfy `holds`.
    func isAll(_ holds: (Unicode.Scalar) -> Bool) -> Bool { !isEmpty && scalars.allSatisfy(holds) }
}
