/// Why a chat template could not be read or rendered.
package struct ChatError: Error, Sendable, Hashable {
    /// What failed, by the name of the Python exception that the reference implementation raises.
    package enum Kind: String, Sendable {
        // Exceptions of the template engine.
        case syntax = "TemplateSyntaxError"
        /// Raised by the template itself, with `raise_exception`.
        case raised = "TemplateError"
        case runtime = "TemplateRuntimeError"
        case undefined = "UndefinedError"
        case security = "SecurityError"
        case filterArgument = "FilterArgumentError"
        // Exceptions of Python.
        case assertion = "AssertionError"
        case attribute = "AttributeError"
        case index = "IndexError"
        case key = "KeyError"
        case overflow = "OverflowError"
        case type = "TypeError"
        case value = "ValueError"
        case zeroDivision = "ZeroDivisionError"
        // Ours.
        /// More steps, depth or bytes than a template may use.
        case limit = "LimitError"
        /// Messages or tools that are not of the form a chat has.
        case input = "InputError"
    }

    package let kind: Kind
    /// One line.
    package let message: String
    /// The line of the template, from 1.
    package internal(set) var line: Int?

    init(_ kind: Kind, _ message: String, line: Int? = nil) {
        self.kind = kind
        self.message = message
        self.line = line
    }

    /// The same error, placed at `line` unless it has a place.
    func at(line: Int) -> ChatError {
        var copy = self
        copy.line = self.line ?? line
        return copy
    }
}

extension ChatError: CustomStringConvertible {
    /// The text that the reference implementation shows: exceptions of Python with their name.
    package var text: String {
        switch kind {
        case .syntax, .raised, .runtime, .undefined, .security, .filterArgument, .input: message
        default: "\(kind.rawValue): \(message)"
        }
    }

    package var description: String {
        if let line { "chat template, line \(line): \(text)" } else { text }
    }
}
