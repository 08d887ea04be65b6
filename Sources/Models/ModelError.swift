package import Compute
package import GGUF

/// Why a file is no model that this program can run.
package enum ModelError: Error, Sendable, CustomStringConvertible {
    case file(GGUFError)
    case unsupportedArchitecture(path: String, name: String)
    /// A hyperparameter is missing or makes no sense.
    case metadata(path: String, key: String, problem: String)
    case tensors(path: String, ProgramError)
    /// The file has a tensor that the architecture, as it is known here, does not read.
    case unreadTensor(path: String, tensor: String, architecture: String)

    package var description: String {
        switch self {
        case .file(let error):
            "\(error)"
        case .unsupportedArchitecture(let path, let name):
            "\(path): architecture '\(name)' is not supported (supported: "
                + Architectures.supportedNames.joined(separator: ", ") + ")"
        case .metadata(let path, let key, let problem):
            "\(path): metadata '\(key)' \(problem)"
        case .tensors(let path, let error):
            "\(path): \(error)"
        case .unreadTensor(let path, let tensor, let architecture):
            "\(path): tensor '\(tensor)' is not known in architecture '\(architecture)'"
        }
    }
}
