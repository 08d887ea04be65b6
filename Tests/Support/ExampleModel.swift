/// The model that ships with the repository.
package enum ExampleModel {
    package static let path = "Examples/stories.gguf".inRepository
}

extension String {
    /// The absolute path of a file of the repository.
    package var inRepository: String {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(here)/\(self)"
    }
}
