import GGUF

/// What is wrong with a vocabulary, and under which key: one line for a person.
package struct TokenizerError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ error: GGUFError) { description = error.description }

    init(_ metadata: Metadata, key: String, problem: String) {
        self.init(GGUFError(file: metadata.file, place: .key(key), problem: problem))
    }
}

/// Runs a typed read of the metadata in this module's error type.
func reading<T>(_ body: () throws(GGUFError) -> T) throws(TokenizerError) -> T {
    do { return try body() } catch { throw TokenizerError(error) }
}
