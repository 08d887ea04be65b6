import Compute
import Engine

/// An error that the command itself found. Its message is one line that names the place and the problem.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The user pressed Ctrl-C. What was printed until then is complete.
struct Interrupted: Error {}

/// One line for any error. The modules' own errors describe themselves.
func describe(_ error: any Error) -> String {
    switch error {
    case let error as BackendError: describe(error)
    case EngineError.backend(let error): describe(error)
    default: "\(error)"
    }
}

private func describe(_ error: BackendError) -> String {
    switch error {
    case .unsupported(let what): "not supported on this device: \(what)"
    case .outOfMemory(let needed, let available):
        "not enough memory: \(bytes(needed)) needed, \(bytes(available)) available"
    case .weights(let problem), .device(let problem): problem
    }
}
