/// An error that the command itself found. Its message is one line that names the place and the problem.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// The user pressed Ctrl-C. What was printed until then is complete.
struct Interrupted: Error {}
