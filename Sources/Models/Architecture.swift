package import Compute

/// A model architecture: reads its metadata and draws its forward pass. One file each, listed in ``Architectures/all``.
package protocol Architecture: Sendable {
    /// Values of `general.architecture` that this type reads.
    static var names: [String] { get }
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
        StarCoder2.self,
        StableLM.self,
        DeepSeek2.self,
        GPTOSS.self,
        Llama4.self,
    ]

    package static var supportedNames: [String] { all.flatMap { $0.names }.sorted() }

    static func named(_ name: String) -> (any Architecture.Type)? { all.first { $0.names.contains(name) } }
}
