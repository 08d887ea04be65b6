package import Compute
package import GGUF
internal import Quant

/// A GGUF file understood as a model: its program, ready for a backend, and where its weights come from.
package struct Model: Sendable {
    package let file: GGUFFile
    /// Value of `general.architecture`.
    package let architecture: String
    /// Context length that the model was trained with, in tokens.
    package let trainedContext: Int
    package let program: Program

    package var vocabularySize: Int { program.vocabularySize }
    package var layerCount: Int { program.cache.layers.count }
    package var weights: any WeightSource { FileWeights(file) }

    /// - Parameter path: A file or folder as taken by ``GGUFFile/open(_:)``.
    package init(path: String) throws(ModelError) {
        try self.init(Self.open(path))
    }

    /// - Parameter contextLength: Tokens of context to draw the program for; the trained length where none is given. Only models
    ///   with another rope for long contexts depend on it.
    package init(_ file: GGUFFile, contextLength: Int? = nil) throws(ModelError) {
        self.file = file
        let name = try Self.architectureName(file)
        guard let type = Architectures.named(name) else {
            throw .unsupportedArchitecture(path: file.path, name: name)
        }
        architecture = name
        let parameters = Hyperparameters(
            file.metadata, architecture: name, path: file.path, plannedContext: contextLength)
        trainedContext = try parameters.count("context_length")
        // Every layer has tensors: a larger count would only make the drawing long.
        guard try parameters.count("block_count") <= file.tensors.count else {
            throw parameters.invalid("block_count", "asks for more layers than the file has tensors")
        }
        program = try Self.draw(type, parameters, file)
    }

    private static func open(_ path: String) throws(ModelError) -> GGUFFile {
        do { return try GGUFFile.open(path) } catch { throw .file(error) }
    }

    private static func architectureName(_ file: GGUFFile) throws(ModelError) -> String {
        do { return try file.metadata.requiredString("general.architecture") } catch { throw .file(error) }
    }

    /// This model for a context of that many tokens.
    package func planned(forContext length: Int) throws(ModelError) -> Model {
        // Everything else is the same for all lengths.
        guard file.tensor("rope_factors_long.weight") != nil else { return self }
        return try Model(file, contextLength: length)
    }

    private static func draw<A: Architecture>(
        _ type: A.Type, _ parameters: Hyperparameters, _ file: GGUFFile
    ) throws(ModelError) -> Program {
        let architecture = try type.init(parameters)
        var builder = ProgramBuilder(FileCatalog(file))
        let logits = architecture.forward(&builder)
        let names = builder.tensorNames
        let program: Program
        do {
            program = try builder.finish(logits: logits, cache: architecture.cache)
        } catch {
            throw .tensors(path: file.path, error)
        }
        // A tensor that nothing reads is a part of the model that would be left out.
        if let unread = try UnreadTensors(parameters).first(of: file.tensors.lazy.map(\.name), notIn: names) {
            throw .unreadTensor(path: file.path, tensor: unread, architecture: parameters.architecture)
        }
        return program.fusingSharedInput().fusingResidual()
    }
}
