package import Compute
package import GGUF
package import Tokenizer

/// A model architecture: reads its metadata and draws its forward pass. One file each, listed in ``Architectures/all``.
package protocol Architecture: Sendable {
    /// Values of `general.architecture` that this type reads, and the models that have them.
    static var models: KeyValuePairs<String, String> { get }
    /// What marks turns in their chats.
    static var chat: ChatMarks { get }
    init(_ parameters: Hyperparameters) throws(ModelError)
    /// What each layer keeps of past tokens.
    var cache: CacheLayout { get }
    /// Draws tensors and operations in reading order and returns the logits.
    func forward(_ g: inout ProgramBuilder) -> Value
}

package enum Architectures {
    /// Every supported architecture, one entry each.
    package static let all: [any Architecture.Type] = [
        Llama.self,
        Qwen2.self,
        Qwen2MoE.self,
        Qwen3.self,
        Qwen3MoE.self,
        Gemma2.self,
        Gemma3.self,
        Phi3.self,
        Mistral3.self,
        SmolLM3.self,
        OLMo2.self,
        Granite.self,
        CommandR.self,
        Cohere2.self,
        GLM4.self,
        GLM4MoE.self,
        StarCoder2.self,
        StableLM.self,
        DeepSeek2.self,
        GPTOSS.self,
        Llama4.self,
    ]

    package static var supportedNames: [String] { all.flatMap { $0.models.map(\.key) }.sorted() }

    /// The models of an architecture; `nil` where it is not supported.
    package static func models(of name: String) -> String? { named(name)?.models.first { $0.key == name }?.value }

    static func named(_ name: String) -> (any Architecture.Type)? {
        all.first { $0.models.contains { $0.key == name } }
    }
}

extension Tokenizer {
    /// The tokenizer of a file, with what every architecture states of its chats.
    package init(_ metadata: Metadata) throws(TokenizerError) {
        try self.init(metadata, chats: Architectures.all.map { $0.chat })
    }
}
