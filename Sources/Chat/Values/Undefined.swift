/// A value that is not there: it prints as nothing, is false and empty, and anything else that is done with it is an error.
struct Undefined {
    /// How it came to be.
    indirect enum Origin {
        case variable(Text)
        /// No such attribute of an object described so.
        case attribute(Text, of: String)
        /// No such element of an object described so.
        case element(String, of: String)
        /// Something else, said in words.
        case hint(String)
        /// An attribute that the sandbox does not give out.
        case unsafe(Text, type: String)
    }

    let origin: Origin

    /// What using it throws.
    var error: ChatError {
        switch origin {
        case .variable(let name): ChatError(.undefined, "\(name.quoted) is undefined")
        case .attribute(let name, let object):
            ChatError(.undefined, "\(Text(object).quoted) has no attribute \(name.quoted)")
        case .element(let key, let object): ChatError(.undefined, "\(object) has no element \(key)")
        case .hint(let text): ChatError(.undefined, text)
        case .unsafe(let name, let type):
            ChatError(.security, "access to attribute \(name.quoted) of \(Text(type).quoted) object is unsafe.")
        }
    }
}

extension Value {
    static func undefined(_ origin: Undefined.Origin) -> Value { .undefined(Undefined(origin: origin)) }

    /// How messages about missing attributes name an object.
    var objectDescription: String {
        switch self {
        case .none: "None"
        case .namespace, .cycler, .loop, .macro: "jinja2.\(moduleName).\(typeName) object"
        default: "\(typeName) object"
        }
    }

    private var moduleName: String {
        switch self {
        case .namespace, .cycler: "utils"
        default: "runtime"
        }
    }
}
