package import Compute
package import Models
package import Tokenizer

/// Why text cannot be generated.
package enum EngineError: Error, Sendable, CustomStringConvertible {
    case model(ModelError)
    case tokenizer(path: String, TokenizerError)
    case backend(path: String, BackendError)
    case sampling(SamplingError)
    /// The tokenizer and the model disagree about the vocabulary.
    case vocabulary(path: String, tokens: Int, logits: Int)
    case emptyPrompt
    case promptTooLong(tokens: Int, context: Int)
    case contextTooLong(asked: Int, trained: Int)
    /// The engine has been stopped.
    case stopped

    package var description: String {
        switch self {
        case .model(let error): "\(error)"
        case .tokenizer(let path, let error): "\(path): \(error)"
        case .backend(_, .source(let line)): line
        case .backend(let path, let error): "\(path): \(error)"
        case .sampling(let error): "\(error)"
        case .vocabulary(let path, let tokens, let logits):
            "\(path): the tokenizer has \(tokens) tokens, the model only \(logits)"
        case .emptyPrompt: "the prompt is empty, and the model has no beginning-of-sequence token to start from"
        case .promptTooLong(let tokens, let context):
            "the prompt has \(tokens) tokens and the context only \(context): raise --ctx-size or shorten the prompt"
        case .contextTooLong(let asked, let trained):
            "a context of \(asked) tokens is more than the \(trained) that the model was trained with (--force-ctx allows it)"
        case .stopped: "the engine has been stopped"
        }
    }
}
