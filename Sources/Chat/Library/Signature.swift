/// The parameters of a function of the library.
struct Signature: Sendable {
    private let names: [Text]
    private let required: Int
    private let kind: Kind

    private enum Kind {
        case ordinary
        /// Arguments have no names.
        case positional
        /// The function looks at the arguments itself.
        case any
    }

    private init(_ names: [Text], required: Int, _ kind: Kind) {
        self.names = names
        self.required = required
        self.kind = kind
    }

    static func parameters(_ names: Text..., required: Int = 0) -> Signature {
        Signature(names, required: required, .ordinary)
    }

    /// Parameters that cannot be given by name, as most of Python's methods have them.
    static func positional(_ names: Text..., required: Int = 0) -> Signature {
        Signature(names, required: required, .positional)
    }

    static let none = Signature([], required: 0, .ordinary)
    static let any = Signature([], required: 0, .any)

    /// Brings arguments into the order of the parameters.
    func bind(_ call: CallArguments, to function: Text) throws(ChatError) -> Bound {
        guard kind != .any else { return Bound(function: function, values: [], call: call) }
        guard call.positional.count <= names.count else {
            throw ChatError(
                .type, "\(function)() takes at most \(names.count) arguments (\(call.positional.count) given)")
        }
        var values: [Value?] = call.positional
        values += repeatElement(nil, count: names.count - call.positional.count)
        for (name, value) in call.keyword {
            guard kind == .ordinary else { throw ChatError(.type, "\(function)() takes no keyword arguments") }
            guard let index = names.firstIndex(of: name) else {
                throw ChatError(.type, "\(function)() got an unexpected keyword argument \(name.quoted)")
            }
            guard values[index] == nil else {
                throw ChatError(.type, "\(function)() got multiple values for argument \(name.quoted)")
            }
            values[index] = value
        }
        for index in 0..<required where values[index] == nil {
            throw ChatError(.type, "\(function)() missing required argument \(names[index].quoted)")
        }
        return Bound(function: function, values: values, call: call)
    }
}

/// Arguments in the order of the parameters.
struct Bound {
    let function: Text
    private let values: [Value?]
    let call: CallArguments

    fileprivate init(function: Text, values: [Value?], call: CallArguments) {
        self.function = function
        self.values = values
        self.call = call
    }

    /// The argument for parameter `index`, if it was given.
    subscript(index: Int) -> Value? { values[index] }

    /// An argument that has to be given.
    func value(_ index: Int) throws(ChatError) -> Value {
        guard let value = values[index] else { throw ChatError(.type, "\(function)() misses an argument") }
        return value
    }

    /// The argument, unless it was not given or is `None`.
    func optional(_ index: Int) -> Value? {
        if case .some(.none) = values[index] { return nil }
        return values[index]
    }

    func truth(_ index: Int, default defaultValue: Bool = false) -> Bool { values[index]?.isTrue ?? defaultValue }

    func int(_ index: Int, default defaultValue: Int) throws(ChatError) -> Int {
        guard let value = values[index] else { return defaultValue }
        return try value.requiredInt
    }

    func text(_ index: Int) throws(ChatError) -> Text { try value(index).requiredText }
}

extension Value {
    /// An integer, where nothing else will do.
    var requiredInt: Int {
        get throws(ChatError) {
            if case .undefined(let undefined) = self { throw undefined.error }
            guard case .int(let value) = Number(self) else {
                throw ChatError(.type, "'\(typeName)' object cannot be interpreted as an integer")
            }
            return value
        }
    }

    /// A string, where nothing else will do.
    var requiredText: Text {
        get throws(ChatError) {
            guard case .string(let text) = self else { throw ChatError(.type, "expected str, got \(typeName)") }
            return text
        }
    }

    /// `soft_str(value)`: markup stays markup.
    var softText: Text {
        if case .string(let text) = self { text } else { text }
    }

    /// `escape(value)`
    var escaped: Text { softText.escaped }
}
