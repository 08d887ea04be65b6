// `str(value)` and `repr(value)`.

extension Value {
    /// `str(value)`
    var text: Text {
        switch self {
        case .string(let text): text.isMarkup ? text.marked(false) : text
        case .undefined: ""
        default: Text(representation)
        }
    }

    /// `repr(value)`
    var representation: String {
        switch self {
        case .undefined: return "Undefined"
        case .none: return "None"
        case .bool(let value): return value ? "True" : "False"
        case .int(let value): return String(value)
        case .bigInt(let digits): return digits.string
        case .float(let value): return value.pythonDescription
        case .string(let text): return text.quoted
        case .list(let list): return "[\(Self.representations(list.items))]"
        case .tuple(let list):
            return list.items.count == 1
                ? "(\(list.items[0].representation),)" : "(\(Self.representations(list.items)))"
        case .dict(let dict): return Self.representation(dict)
        case .view(let dict, let part): return Self.representation(dict, part)
        case .range(let range):
            return "range(\(range.start), \(range.stop)\(range.step == 1 ? "" : ", \(range.step)"))"
        case .namespace(let namespace):
            let attributes = namespace.attributes.entries.map { "\($0.key.quoted): \(Self.shallow($0.element))" }
            return "<Namespace {\(attributes.joined(separator: ", "))}>"
        case .loop(let loop): return "<LoopContext \(loop.index0 + 1)/\((try? loop.length()) ?? 0)>"
        case .macro(let macro): return "<Macro \(macro.name.map(\.quoted) ?? "anonymous")>"
        // Python says where in memory they are.
        case .generator(let generator): return "<\(generator.label) at 0x0>"
        case .cycler, .function: return "<\(objectDescription) at 0x0>"
        }
    }

    private static func representations(_ values: [Value]) -> String {
        values.map(\.representation).joined(separator: ", ")
    }

    private static func representation(_ dict: DictValue) -> String {
        let entries = dict.entries.map { "\($0.key.representation): \($0.value.representation)" }
        return "{\(entries.joined(separator: ", "))}"
    }

    private static func representation(_ dict: DictValue, _ part: DictPart) -> String {
        let elements =
            switch part {
            case .keys: dict.keys.map(\.representation)
            case .values: dict.values.map(\.representation)
            case .items: dict.entries.map { "(\($0.key.representation), \($0.value.representation))" }
            }
        return "dict_\(part.rawValue)([\(elements.joined(separator: ", "))])"
    }

    /// Namespaces may hold each other in a circle, so one inside another is not written out.
    private static func shallow(_ value: Value) -> String {
        if case .namespace = value { return "<Namespace {...}>" }
        return value.representation
    }
}

extension Double {
    /// `repr(float)`: the shortest digits that read back as the same number, with an exponent from 1e16 and below 1e-4.
    var pythonDescription: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        if self == 0 { return sign == .minus ? "-0.0" : "0.0" }
        let (digits, exponent) = shortestDigits
        let sign = self < 0 ? "-" : ""
        if exponent < -4 || exponent >= 16 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power)"
        }
        if exponent < 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent - 1))\(digits)" }
        let padded = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let fraction = padded.dropFirst(exponent + 1)
        return "\(sign)\(padded.prefix(exponent + 1)).\(fraction.isEmpty ? "0" : fraction)"
    }

    /// The shortest digits of a finite number that is not zero, and the power of ten of the first.
    private var shortestDigits: (String, Int) {
        let parts = magnitude.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = String(mantissa[0])
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
        let all = whole + fraction
        let leading = all.prefix { $0 == "0" }.count
        var digits = String(all.dropFirst(leading))
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        return (digits, power + whole.count - 1 - leading)
    }
}
